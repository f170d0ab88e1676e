# Commands of docs/airflow-running.md.

# [START pools]
airflow pools set ods_portal 8 "streams from data.example.org at the same time"
# [END pools]

# [START backfill]
airflow backfill create --dag-id ods_days --from-date 2026-01-05 --to-date 2026-01-07 --max-active-runs 1
# [END backfill]

# [START clear]
airflow tasks clear --yes --only-failed --downstream --start-date 2026-01-05 --end-date 2026-01-08 ods_days
# [END clear]

# [START secrets]
cat > connections.json <<'END'
{"ods_default": {"conn_type": "ods", "host": "data.example.org", "password": "YOUR-API-KEY"}}
END
chmod 600 connections.json

export AIRFLOW__SECRETS__BACKEND=airflow.secrets.local_filesystem.LocalFilesystemBackend
export AIRFLOW__SECRETS__BACKEND_KWARGS="{\"connections_file_path\": \"$PWD/connections.json\"}"
AIRFLOW__CORE__TEST_CONNECTION=Enabled airflow connections test ods_default
# [END secrets]
