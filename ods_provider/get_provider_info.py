"""What Airflow reads about this package without importing any of it: the connection form, the operators, the links."""

from __future__ import annotations

from typing import Any

CONNECTION_TYPE = "ods"
DOCS = "https://ods-provider.readthedocs.io"
_GUIDES = ("tutorial", "airflow", "recipes", "connections", "load", "publishing")
_OPERATORS = (
    "search",
    "analysis",
    "download",
    "partition",
    "assemble",
    "load",
    "media",
    "push",
    "sync",
    "publish",
    "metadata",
    "harvest",
    "visibility",
    "mirror_plan",
    "mirror_dataset",
    "mirror_report",
)


def get_provider_info() -> dict[str, Any]:
    """Return the provider's metadata, in the form of Airflow's provider schema."""
    return {
        "package-name": "ods-provider",
        "name": "Opendatasoft",
        "description": "Search, analyse, download, load into databases, fetch media from, push to, sync with and publish on Opendatasoft (Huwise) portals.",
        "integrations": [
            {
                "integration-name": "Opendatasoft",
                "external-doc-url": "https://help.huwise.com/",
                "logo": f"{DOCS}/images/logo.svg",
                "how-to-guide": [f"{DOCS}/{page}/" for page in _GUIDES],
                "tags": ["service"],
            }
        ],
        "connection-types": [
            {
                "connection-type": CONNECTION_TYPE,
                "hook-class-name": "ods_provider.hooks.ods.OdsHook",
                "hook-name": "Opendatasoft portal",
                "ui-field-behaviour": _field_behaviour(),
                "conn-fields": _connection_fields(),
            }
        ],
        "asset-uris": [
            {
                "schemes": [CONNECTION_TYPE],
                "handler": "ods_provider.assets.sanitize_uri",
                "to_openlineage_converter": "ods_provider.assets.to_openlineage",
            }
        ],
        "extra-links": [f"ods_provider.airflow.links.Ods{name}Link" for name in ("Dataset", "Query", "Output")],
        "cli": ["ods_provider.airflow.commands.get_cli_commands"],
        "hooks": [{"integration-name": "Opendatasoft", "python-modules": ["ods_provider.hooks.ods"]}],
        "operators": [
            {
                "integration-name": "Opendatasoft",
                "python-modules": [f"ods_provider.operators.{name}" for name in _OPERATORS],
            }
        ],
        "sensors": [
            {
                "integration-name": "Opendatasoft",
                "python-modules": [f"ods_provider.sensors.{name}" for name in ("dataset", "publication", "quota")],
            }
        ],
        "triggers": [
            {
                "integration-name": "Opendatasoft",
                "python-modules": [
                    f"ods_provider.triggers.{name}" for name in ("dataset", "harvest", "publication", "quota", "wait")
                ],
            }
        ],
    }


def _field_behaviour() -> dict[str, Any]:
    return {
        "hidden-fields": [],
        "relabeling": {"password": "API key", "login": "Login (basic auth only)", "schema": "Scheme"},
        "placeholders": {
            "host": "data.example.org",
            "schema": "https",
            "password": "leave empty for anonymous calls",
        },
    }


def _field(
    label: str, description: str, kind: str, *, secret: bool = False, choices: list[str] | None = None, **schema: Any
) -> dict[str, Any]:
    made: dict[str, Any] = {"type": [kind, "null"], **schema}
    if secret:
        made["format"] = "password"
    if choices:
        made["enum"] = choices
    return {"label": label, "description": description, "schema": made}


def _connection_fields() -> dict[str, Any]:
    return {
        "auth": _field(
            "Authentication",
            "auto sends the API key when there is one",
            "string",
            choices=["auto", "anonymous", "apikey", "basic", "oauth2"],
            default="auto",
        ),
        "push_api_key": _field(
            "Push key",
            'Key of a realtime resource, or {"dataset/resource": "key"} for several',
            "string",
            secret=True,
        ),
        "timeout_s": _field(
            "Idle timeout (s)", "Longest silence while an answer is read; 60 unless set", "number", minimum=0
        ),
        "connect_timeout_s": _field("Connect timeout (s)", "10 unless set", "number", minimum=0),
        "min_bytes_s": _field(
            "Slowest answer (bytes/s)",
            "Slower than this for twice the idle timeout fails; 100 unless set",
            "number",
            minimum=0,
        ),
        "max_retries": _field("Retries", "Times a request is sent again; 5 unless set", "integer", minimum=0),
        "max_wait_s": _field(
            "Longest wait in place (s)", "Beyond it the task defers; 60 unless set", "number", minimum=0
        ),
        "max_quota_wait_s": _field(
            "Longest wait for a quota (s)", "Beyond it the task fails; 93600 (26 h) unless set", "number", minimum=0
        ),
        "verify": _field("Verify TLS", "true, false, or the path of a CA bundle", "string"),
        "proxy": _field("Proxy", "URL of a proxy for this portal", "string", secret=True),
        "allowed_hosts": _field(
            "Allowed hosts", "Other hosts of the same portal, which may get the key after a redirect", "string"
        ),
        "private_files": _field(
            "Files in private networks",
            "refuse or allow files on other hosts whose address is private; auto refuses where the portal is public",
            "string",
            choices=["auto", "refuse", "allow"],
            default="auto",
        ),
        "client_id": _field("OAuth2 client id", "Of the application, for Authentication oauth2", "string"),
        "client_secret": _field("OAuth2 client secret", "Empty for a public application", "string", secret=True),
        "refresh_token": _field(
            "OAuth2 refresh token",
            "What `ods login --seed` printed; the tokens that follow are kept in the token store",
            "string",
            secret=True,
        ),
    }
