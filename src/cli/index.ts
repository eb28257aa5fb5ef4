export { runProgram } from './program.ts';
export { type ExitCode, exitCode } from './exit-code.ts';
