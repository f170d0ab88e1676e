"""Operators: parameters in, a job run, its Outcome out. They never see a response."""

from ods_provider.hooks.required import require_airflow

require_airflow()
