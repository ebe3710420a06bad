/** The package brings no types. */
declare module 'asl-validator' {
  /** Marks the states of the definition that it is given: hand it a copy. */
  export default function validate(definition: object): {
    readonly isValid: boolean
    readonly errorsText: (separator?: string) => string
  }
}
