"""Triggers: waiting without a worker. Their arguments are JSON only, and they look connections up asynchronously."""

from ods_provider.hooks.required import require_airflow

require_airflow()
