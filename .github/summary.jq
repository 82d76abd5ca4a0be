# The reports of `cargo xtask verify --report FILE`, read together with `jq --slurp`, as a page for a pull request.
def cell: gsub("\\|"; "\\|") | gsub("\n"; "<br>");
[.[].steps[]] as $steps |
"## \([$steps[] | select(.verdict == "passed")] | length) proofs passed, \([$steps[] | select(.verdict != "passed")] | length) failed",
"",
"| proof | verdict | what | time |",
"|---|---|---|---|",
($steps[] | "| `\(.step)` | \(.verdict) | \(if .verdict == "passed" then .summary else .proves end | cell) | \(.seconds) s |"),
($steps[] | select(.failures != []) | "", "### `\(.step)` failed", "", "```", .failures[], "```"),
($steps[] | select(.notes != []) | "", "### `\(.step)`: what values change", "", (.notes[] | "- \(cell)"))
