// Loaded before the handler in tests: makes a file that holds one of these words deadly to whoever parses it. No JSON
// kills a parser that works, so the fault has to be put in; the handler itself knows nothing of it.
const parse = JSON.parse
JSON.parse = (text, ...rest) => {
  if (text.includes('"kills":"exit"') && !text.includes('"Records"')) process.exit(1)
  if (text.includes('"kills":"heap"') && !text.includes('"Records"')) {
    const hoard = []
    while (true) hoard.push(new Array(1_000_000).fill(hoard.length))
  }
  return parse(text, ...rest)
}
