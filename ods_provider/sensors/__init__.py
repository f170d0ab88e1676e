"""Sensors: look once, then wait without a worker."""

from ods_provider.hooks.required import require_airflow

require_airflow()
