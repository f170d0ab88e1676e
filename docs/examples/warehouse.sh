# [START duckdb]
# A dataset into a table, with the portal's types; a second one beside it; and again, when it changed.
ods load world-capitals capitals --to city.duckdb
ods load landmark-photos landmarks --to city.duckdb
ods load world-capitals capitals --to city.duckdb --if-unchanged keep

# Every few minutes, what is new only.
ods load live-readings readings --to city.duckdb --mode merge --cursor at --lag 1h
# [END duckdb]
