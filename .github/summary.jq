# Renders the reports of `cargo xtask verify --report FILE` as a Markdown summary for a pull request. Run it with `jq --slurp`.
def cell: gsub("\\|"; "\\|") | gsub("\n"; "<br>");
[.[].steps[]] as $steps |
"## \([$steps[] | select(.verdict == "passed")] | length) proofs passed, \([$steps[] | select(.verdict != "passed")] | length) failed",
"",
"| proof | verdict | what | time |",
"|---|---|---|---|",
($steps[] | "| `\(.step)` | \(.verdict) | \(if .verdict == "passed" then .summary else .proves end | cell) | \(.seconds) s |"),
($steps[] | select(.failures != []) | "", "### `\(.step)` failed", "", "```", .failures[], "```"),
($steps[] | select(.notes != []) | "", "### `\(.step)`: what values change", "", (.notes[] | "- \(cell)"))
