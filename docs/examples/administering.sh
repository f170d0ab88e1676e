#!/bin/sh
# Commands of docs/publishing.md, as cron runs them: each line is what stands after its time.
set -eu

# [START embargo]
# 0 9 1 3 *  at nine o'clock on the first of March; cron's clock is the machine's (CRON_TZ=Europe/Zurich sets another)
ods --quiet visibility world-capitals public --yes
# [END embargo]

# [START harvest]
# 0 3 * * *  every night; cron sends what is said, and with --quiet that is the errors alone
ods --quiet harvest town-gardens --timeout 21600 > /dev/null
# [END harvest]
