#!/bin/sh
# A dataset as a file that follows the portal, from cron:  */10 * * * *  /opt/cities-cron.sh
# [START cron]
set -u
cd "$FOLDER" || exit 1
# What the last whole download held; nothing before the first.
since=$(sed -n 's/.*"data_processed": "\([^"]*\)".*/\1/p' cities.json 2>/dev/null)
# One call; 75 when there is no update, or when the portal asks to come back later.
ods --quiet watch "$DATASET" --look --since "$since" > /dev/null &&
    ods --quiet download "$DATASET" cities.parquet --json > cities.new && mv cities.new cities.json
code=$?
# 75 is no news: the next run goes on. Anything else but 0 is, and cron sends what was said.
[ $code -eq 75 ] && exit 0
exit $code
# [END cron]
