#!/bin/sh
# Resolve one pinned set per environment. Names and versions only: no index, no host, no hash.
# Usage: sh constraints/compile.sh [path of uv]
set -eu
cd "$(dirname "$0")/.."
uv=${1:-uv}

resolve() {
    out=$1
    shift
    "$uv" pip compile pyproject.toml --quiet --universal --python-version 3.11 --no-header --no-annotate --upgrade \
        --output-file "$out" "$@"
}

resolve constraints/core.txt --group test
resolve constraints/cli.txt --extra portal --extra sql --group test
resolve constraints/plugins.txt --extra portal --group test --group plugins
resolve constraints/luigi.txt --extra portal --group luigi
# Airflow and Prefect cannot share an environment: each names its extras.
airflow="--extra airflow --extra portal --extra demo --extra fast --extra sql"
# shellcheck disable=SC2086
resolve constraints/airflow-3.3.txt $airflow --group dev
# What the system tests need besides, beside the very same Airflow.
resolve constraints/airflow-system.txt --extra airflow --extra portal --extra sql --group test --group system \
    --constraint constraints/airflow-3.3.txt
resolve constraints/dagster.txt --extra dagster --extra portal --extra sql --group test --group lint --group dagster
resolve constraints/s3.txt --group test --group s3
resolve constraints/tables.txt --extra sql --extra dlt --extra portal --extra fast --group test --group tables
# Those that benchmarks/load_rivals.py runs beside ours.
resolve constraints/rivals.txt --extra sql --extra dlt --extra fast --group rivals --constraint constraints/tables.txt
resolve constraints/rivals-airflow.txt --group rivals-airflow --constraint constraints/airflow-3.3.txt
resolve constraints/prefect.txt --extra prefect --extra portal --extra sql --group test --group lint \
    --group browser
# Airflow 3.2.2 does not run with today's packages; it does with those of its own time.
pin=$(mktemp)
trap 'rm -f "$pin"' EXIT
echo "apache-airflow==3.2.2" > "$pin"
# shellcheck disable=SC2086
resolve constraints/airflow-3.2.txt $airflow --group test --constraint "$pin" --exclude-newer 2026-06-15
# What builds the site stands on nothing of ours.
"$uv" pip compile --quiet --universal --python-version 3.11 --no-header --no-annotate --upgrade \
    --output-file constraints/docs.txt --group docs
