# The verdicts of `cargo xtask verify --format json`, as a page for a pull request.
def cell: gsub("\\|"; "\\|") | gsub("\n"; "<br>");
"## \(.passed) proofs passed, \(.failed) failed",
"",
"| proof | verdict | what | time |",
"|---|---|---|---|",
(.steps[] | "| `\(.step)` | \(.verdict) | \(if .verdict == "passed" then .summary else .proves end | cell) | \(.seconds) s |"),
(.steps[] | select(.failures != []) | "", "### `\(.step)` failed", "", "```", .failures[], "```"),
(.steps[] | select(.notes != []) | "", "### `\(.step)`: what values change", "", (.notes[] | "- \(cell)"))
