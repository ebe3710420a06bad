/** The processes of a laptop cloud, what they are, and how much memory each has for itself. */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface CloudProcess {
  readonly pid: number
  /** `emulator`, `PostgreSQL`, or the name of the function whose worker it is. */
  readonly kind: string
  readonly megabytes: number
}

interface Listed {
  readonly pid: number
  readonly parent: number
  readonly megabytes: number
  readonly command: string
}

/** Workers lie in folders that are named after their function, with eight random characters behind. Those of CDK are not ours. */
const WORKER = /ministack-lambda-sluice-local-(\S+)-[\w-]{8}\/_worker/

/** @param directory of the cloud */
export function listCloudProcesses(directory: string): CloudProcess[] {
  const note: { started: Record<string, { pid: number }> } = JSON.parse(
    readFileSync(join(directory, 'instance.json'), 'utf8'),
  )
  const { postgres, emulator } = note.started
  return listProcesses().flatMap(({ pid, parent, megabytes, command }): CloudProcess[] => {
    if (pid === emulator?.pid) return [{ pid, kind: 'emulator', megabytes }]
    if (pid === postgres?.pid || parent === postgres?.pid) return [{ pid, kind: 'PostgreSQL', megabytes }]
    const worker = command.includes(`${directory}/`) ? WORKER.exec(command)?.[1] : undefined
    return worker === undefined ? [] : [{ pid, kind: worker, megabytes }]
  })
}

function listProcesses(): Listed[] {
  // Linux without the ps command (slim containers) still has /proc.
  if (existsSync('/proc/self/status')) {
    return readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? readProcess(name) : []))
  }
  const { stdout } = spawnSync('ps', ['-axww', '-o', 'pid=,ppid=,rss=,args='], { encoding: 'utf8', maxBuffer: 2 ** 26 })
  return stdout.split('\n').flatMap((line) => {
    const [, pid, parent, kilobytes, command = ''] = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? []
    return pid === undefined
      ? []
      : [{ pid: Number(pid), parent: Number(parent), megabytes: Number(kilobytes) / 1_024, command }]
  })
}

function readProcess(name: string): Listed[] {
  try {
    const status = readFileSync(`/proc/${name}/status`, 'utf8')
    const numberOf = (field: string) => Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0)
    const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ')
    // Without what it shares: each backend of PostgreSQL counts the server's buffers as its own as it touches them.
    const megabytes = numberOf('RssAnon') / 1_024
    return [{ pid: Number(name), parent: numberOf('PPid'), megabytes, command }]
  } catch {
    // It has ended meanwhile.
    return []
  }
}
