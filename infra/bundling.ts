/** How the sources of builds are made: by a function of ours, and without Docker. */
import { type BundlingOptions, DockerImage } from 'aws-cdk-lib'

/** @param bundle writes all that the build needs into a folder; true, as CDK wants it: it is done */
export const bundledBy = (bundle: (folder: string) => true): BundlingOptions => ({
  // CDK wants one, and asks for it only when bundling locally was refused.
  image: new DockerImage('bundled-without-docker'),
  local: { tryBundle: bundle },
})
