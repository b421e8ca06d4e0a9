"""Chargebee's error answers: the body that its SDKs read, and one maker per situation.

Codes and status are those of the published spec's `400` … `503` schemas; wordings and their
grades stand in docs/fidelity.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

CODES: Final[Mapping[str, tuple[int, str | None]]] = {
    "configuration_incompatible": (400, "invalid_request"),
    "duplicate_entry": (400, "invalid_request"),
    "invalid_request": (400, "invalid_request"),
    "param_wrong_value": (400, "invalid_request"),
    "payment_gateway_currency_incompatible": (400, "invalid_request"),
    "payment_intent_invalid": (400, "invalid_request"),
    "payment_intent_invalid_amount": (400, "invalid_request"),
    "payment_method_not_present": (400, "payment"),
    "payment_method_verification_failed": (400, "payment"),
    "payment_processing_failed": (400, "payment"),
    "resource_limit_exceeded": (400, "invalid_request"),
    "resource_limit_exhausted": (400, "invalid_request"),
    "api_authentication_failed": (401, None),
    "basic_authentication_failed": (401, None),
    "api_authorization_failed": (403, None),
    "request_blocked": (403, "operation_failed"),
    "resource_not_found": (404, "invalid_request"),
    "site_not_found": (404, None),
    "http_method_not_supported": (405, "invalid_request"),
    "invalid_state_for_request": (409, "invalid_request"),
    "unable_to_process_request": (422, "invalid_request"),
    "api_request_limit_exceeded": (429, "operation_failed"),
    "lock_timeout": (429, "operation_failed"),
    "third_party_api_request_limit_exceeded": (429, "operation_failed"),
    "internal_error": (500, "operation_failed"),
    "db_connection_failure": (503, "operation_failed"),
    "internal_temporary_error": (503, "operation_failed"),
    "site_not_ready": (503, "operation_failed"),
    "site_read_only_mode": (503, "operation_failed"),
}
"""Every `api_error_code` of the published spec: the status and the type that it comes with."""


class ApiError(Exception):
    """An answer other than 200 under /api/, in the form that Chargebee's SDKs read.

    `message` is "param : error_msg" unless given; `type` is None where Chargebee sends none.
    `remark` is for the journal: what Chargebee leaves unsaid.
    """

    def __init__(
        self,
        status: int,
        api_error_code: str,
        error_msg: str,
        *,
        type: str | None = "invalid_request",
        param: str | None = None,
        error_code: str | None = None,
        message: str | None = None,
        headers: Mapping[str, str] | None = None,
        remark: str | None = None,
    ) -> None:
        if message is None:
            message = f"{param} : {error_msg}" if param else error_msg
        super().__init__(message)
        self.status = status
        self.api_error_code = api_error_code
        self.error_msg = error_msg
        self.type = type
        self.param = param
        self.error_code = error_code or api_error_code
        self.message = message
        self.headers = dict(headers or {})
        self.remark = remark

    def body(self) -> dict[str, object]:
        """The JSON body, its keys in Chargebee's order."""
        body: dict[str, object] = {"message": self.message}
        if self.type is not None:
            body["type"] = self.type
        body["api_error_code"] = self.api_error_code
        if self.param is not None:
            body["param"] = self.param
        body["error_code"] = self.error_code
        body["error_msg"] = self.error_msg
        if self.param is not None:
            body["error_param"] = self.param
        body["http_status_code"] = self.status
        return body


class DamagedError(ApiError):
    """What was read in the database is nothing that a server wrote; made by `damaged`.

    Reading it again will not help, unlike with other faults of the database.
    """


def cannot_be_blank(param: str) -> ApiError:
    return ApiError(
        400, "param_wrong_value", "cannot be blank", param=param, error_code="param_required"
    )


def wrong_format(param: str | None, error_msg: str = "wrong format") -> ApiError:
    return ApiError(400, "param_wrong_value", error_msg, param=param, error_code="wrong_format")


def wrong_value(param: str, error_msg: str) -> ApiError:
    return ApiError(400, "param_wrong_value", error_msg, param=param)


def duplicate(param: str, value: str) -> ApiError:
    return ApiError(
        400,
        "duplicate_entry",
        f"The value {value} is already present.",
        param=param,
        error_code="param_not_unique",
    )


def resource_not_found(id: str, param: str | None = None) -> ApiError:
    """An id that nothing has; `param` names it where it came as a parameter, not in the path."""
    error_msg = f"{id} not found"
    return ApiError(404, "resource_not_found", error_msg, param=param, message=error_msg)


def path_not_found(remark: str | None = None) -> ApiError:
    """A path that the API does not have; `remark` may say what was meant."""
    error_msg = "Sorry, we couldn't find that resource"
    return ApiError(404, "resource_not_found", error_msg, remark=remark)


def path_outside_api(error_msg: str) -> ApiError:
    """A path that is none of Chargebee's API."""
    return ApiError(404, "resource_not_found", error_msg, remark=error_msg)


def site_not_found(site: str) -> ApiError:
    return ApiError(404, "site_not_found", f"The site {site} does not exist", type=None)


def no_such_site(site: str) -> ApiError:
    """A site that a call under /_mock names, and nobody has made."""
    error_msg = f"The site {site} does not exist; its first call makes it, or POST /_mock/sites"
    return ApiError(404, "site_not_found", error_msg, type=None)


def too_many_sites(site: str, limit: int) -> ApiError:
    return ApiError(
        400,
        "resource_limit_exceeded",
        f"The site {site} would be one more than {limit}: "
        "delete others (DELETE /_mock/sites/NAME), or start the server with a higher --sites-limit",
    )


def authentication_failed(remark: str) -> ApiError:
    """A key that opens nothing here; `remark` says why."""
    return ApiError(
        401,
        "api_authentication_failed",
        "Sorry, authentication failed. Invalid api key",
        type=None,
        error_code="api_authentication_invalid_key",
        headers={"WWW-Authenticate": 'Basic realm="Chargebee API"'},
        remark=remark,
    )


def not_authorized(key_name: str) -> ApiError:
    return ApiError(
        403,
        "api_authorization_failed",
        "Sorry, authorization failed. The key does not have the required permissions.",
        type=None,
        remark=f"the API key {key_name} may only read",
    )


def request_blocked(error_msg: str) -> ApiError:
    return ApiError(403, "request_blocked", error_msg, type="operation_failed")


def method_not_supported(method: str, allowed: str) -> ApiError:
    return ApiError(
        405,
        "http_method_not_supported",
        f"The method {method} is not supported here; use {allowed}",
        headers={"Allow": allowed},
    )


def not_there(operation: str, version: str) -> ApiError:
    """An operation that Chargebee has and the sandbox has not."""
    return ApiError(
        501,
        "not_implemented",
        f"The sandbox does not carry out {operation} of API {version} yet",
        type="operation_failed",
        remark="GET /_mock/coverage says what is carried out",
    )


def invalid_state(error_msg: str) -> ApiError:
    return ApiError(409, "invalid_state_for_request", error_msg)


def request_in_progress() -> ApiError:
    """What a request hears whose idempotency key another one holds that is not answered yet."""
    return invalid_state("The previous request is still in progress. Please retry the request")


def idempotency_key_reused() -> ApiError:
    return ApiError(
        422,
        "unable_to_process_request",
        "The idempotency key provided has already been used for a different request",
    )


def body_too_large(limit: int) -> ApiError:
    return ApiError(413, "invalid_request", f"The request body is longer than {limit} bytes")


def head_too_long(limit: int) -> ApiError:
    return ApiError(
        431, "invalid_request", f"The request line and headers are longer than {limit} bytes"
    )


def too_many_headers(limit: int) -> ApiError:
    return ApiError(431, "invalid_request", f"The request has more than {limit} headers")


def malformed_request(reason: str) -> ApiError:
    return ApiError(400, "invalid_request", f"The request is not valid HTTP: {reason}")


def too_many_requests_ahead(limit: int) -> ApiError:
    return ApiError(
        429,
        "api_request_limit_exceeded",
        f"More than {limit} requests of this connection wait for their answers",
        type="operation_failed",
    )


def request_timeout() -> ApiError:
    return ApiError(408, "invalid_request", "The request took too long to arrive")


def unsupported_type(content_type: str) -> ApiError:
    sent = f"of type {content_type}" if content_type else "without a Content-Type"
    return ApiError(
        415,
        "invalid_request",
        f"A body {sent} is not read here; send application/json, or a fixture as application/yaml",
    )


def unusable_fixture(field: str, reason: str, message: str) -> ApiError:
    """What is wrong with a fixture; `message` says where, too."""
    return ApiError(400, "param_wrong_value", reason, param=field or None, message=message)


def wrong_file(reason: str) -> ApiError:
    """A file that was sent and cannot be kept."""
    return ApiError(400, "invalid_request", f"The file is not kept: {reason}")


def unread_body(content_type: str) -> ApiError:
    sent = f"of type {content_type}" if content_type else "without a Content-Type"
    return ApiError(
        400,
        "invalid_request",
        f"The body {sent} is not read; send application/x-www-form-urlencoded",
    )


def unknown_parameter(param: str) -> ApiError:
    return ApiError(400, "param_wrong_value", "unknown parameter", param=param)


def request_limit_exceeded(retry_after: int) -> ApiError:
    """`retry_after` are the seconds until the next request is answered."""
    return ApiError(
        429,
        "api_request_limit_exceeded",
        "Sorry, access has been blocked temporarily due to request count exceeding "
        "acceptable limits. Please try after some time.",
        type="operation_failed",
        headers={"Retry-After": str(retry_after)},
    )


def damaged() -> DamagedError:
    """The database holds what no server wrote."""
    return DamagedError(
        503, "internal_temporary_error", "The database file is damaged", type="operation_failed"
    )


def site_read_only() -> ApiError:
    return ApiError(
        503,
        "site_read_only_mode",
        "The site's data cannot be changed at the moment: the database is read-only",
        type="operation_failed",
    )


def temporary(reason: str) -> ApiError:
    return ApiError(503, "internal_temporary_error", reason, type="operation_failed")


def internal_error(request_id: str | None = None) -> ApiError:
    where = f" for request {request_id}" if request_id else ""
    return ApiError(
        500,
        "internal_error",
        f"Sorry, something went wrong; see the server's log{where}",
        type="operation_failed",
    )
