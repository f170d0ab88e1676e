#!/usr/bin/env bash
# Put every published dataset under one licence. Run it again after what failed was mended: the others are done.
set -euo pipefail

# [START loop]
ods datasets --select dataset_id --where "license is null or license != 'ODbL'" --csv | tail -n +2 | tr -d '\r' |
    while read -r dataset; do
        ods metadata set "$dataset" internal.license_id=odbl < /dev/null || echo "$dataset" >> failed.txt
    done
# [END loop]
