#!/bin/sh
# Synthesizes every stage into a folder of its own: sh synth-stages.sh <folder>. Needs Node >= 24 and no
# AWS account.
set -eu
[ $# -eq 1 ] || {
  echo "usage: sh synth-stages.sh <folder>" >&2
  exit 2
}
cd "$(dirname "$0")/../.."
stages=$(node --input-type=module --eval "
  import { App } from 'aws-cdk-lib'
  import { stagesOf } from './infra/app.ts'
  console.log(Object.keys(stagesOf(new App())).join('\n'))")
for stage in $stages; do
  npm run --silent synth -- -c "stage=$stage" --output "$1/$stage"
done
