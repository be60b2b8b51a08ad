// Starts copilot-api so that its GitHub token is in no argument list, and in no log.
//
//   start [OPTION]..  serve on port 4141. The token is taken from the file GITHUB_TOKEN_FILE
//                     (/run/secrets/github_token), else from GITHUB_TOKEN, else from an earlier
//                     login; where there is none, the log shows a code to enter at GitHub
//   auth              log in and keep the token in the volume
//   health            exit 0 if it serves: for a container's health check
import { readFileSync } from "node:fs";

const PORT = "4141";

function githubToken() {
  const file = process.env.GITHUB_TOKEN_FILE || "/run/secrets/github_token";
  try {
    const text = readFileSync(file, "utf8").trim();
    if (text) return text;
  } catch (error) {
    if (error.code !== "ENOENT") stop(`${file}: ${error.code}: user ${process.getuid()} cannot read it`);
  }
  return (process.env.GITHUB_TOKEN || "").trim();
}

function stop(sentence) {
  console.error(`copilot-api: ${sentence}`);
  process.exit(2);
}

async function health() {
  try {
    const answer = await fetch(`http://127.0.0.1:${PORT}/`, { signal: AbortSignal.timeout(4000) });
    return answer.ok ? 0 : 1;
  } catch {
    return 1;
  }
}

function serving(options) {
  const account = process.env.COPILOT_ACCOUNT_TYPE;
  const token = githubToken();
  if (!token) console.log("copilot-api: no GITHUB_TOKEN: a login from before is used, or a code is shown to enter");
  return [
    ...["start", "--port", PORT],
    ...(account ? ["--account-type", account] : []),
    ...(process.env.HTTPS_PROXY ? ["--proxy-env"] : []),
    ...options,
    ...(token ? ["--github-token", token] : []),
  ];
}

const [command = "start", ...options] = process.argv.slice(2);
if (command === "health") process.exit(await health());
if (options.includes("--show-token")) stop("--show-token would write the token to the log");
process.argv = [...process.argv.slice(0, 2), ...(command === "start" ? serving(options) : [command, ...options])];
delete process.env.GITHUB_TOKEN;
// The first process of a container is not ended by a signal that it does not ask for.
for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, () => process.exit(0));
await import("./dist/main.js");
