"""Request bodies and query strings over HTTP: what is read, what is ignored, what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.server import Server

URLENCODED = "application/x-www-form-urlencoded"
FORM = {"Content-Type": URLENCODED}
INVOICE = b"invoice_id=__demo_inv__1"
INVOICE_PARAM = {"invoice_id": "__demo_inv__1"}


@pytest.fixture(scope="module")
def strict_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    database: Path = tmp_path_factory.mktemp("strict") / "state.sqlite"
    with Server(database, "--strict-params") as running:
        yield running


@pytest.fixture
def strict(strict_server: Server) -> Iterator[httpx2.Client]:
    """A client of a server that refuses unknown parameters."""
    with strict_server.site().api() as client:
        yield client


def post(
    api: httpx2.Client,
    body: bytes | Iterator[bytes],
    content_type: str | None = URLENCODED,
    path: str = "/orders",
) -> httpx2.Response:
    headers = {} if content_type is None else {"Content-Type": content_type}
    return api.post(path, content=body, headers=headers)


@pytest.mark.parametrize(
    "content_type",
    [
        URLENCODED,
        f"{URLENCODED};charset=UTF-8",
        f"{URLENCODED}; charset=utf-8",
        f"{URLENCODED} ; charset=ISO-8859-1",
        "Application/X-WWW-Form-URLEncoded",
    ],
)
def test_an_urlencoded_body_is_utf8_whatever_charset_follows(
    api: httpx2.Client, content_type: str
) -> None:
    answer = post(api, INVOICE + b"&note=%C3%A9%20" + "ü€🦄".encode(), content_type)

    assert answer.status_code == 200
    assert answer.json()["order"]["note"] == "é ü€🦄"


def test_answers_are_utf8_and_not_escaped(api: httpx2.Client) -> None:
    answer = post(api, INVOICE + "&note=ü€🦄".encode())

    assert '"note":"ü€🦄"'.encode() in answer.content


def test_plus_and_percent_escapes_are_read(api: httpx2.Client) -> None:
    answer = post(api, INVOICE + b"&note=a+b%20c%2Bd%26e%3df%25")

    assert answer.json()["order"]["note"] == "a b c+d&e=f%"


def test_a_name_is_escaped_like_a_value(api: httpx2.Client, order_id: str) -> None:
    answer = api.post(
        f"/orders/{order_id}",
        content=b"n%6Fte=x&shipping%5Faddress%5Bemail%5D=ada",
        headers={"Content-Type": URLENCODED},
    )

    assert answer.json()["message"] == "shipping_address[email] : wrong format"


def test_a_semicolon_separates_nothing(api: httpx2.Client) -> None:
    answer = post(api, INVOICE + b"&note=a;status=voided")

    assert answer.json()["order"]["note"] == "a;status=voided"
    assert answer.json()["order"]["status"] == "new"


def test_of_a_repeated_name_the_first_value_counts(api: httpx2.Client) -> None:
    answer = post(api, INVOICE + b"&note=first&note=second")

    assert answer.json()["order"]["note"] == "first"
    assert answer.headers["x-mock-ignored-params"] == "note"


@pytest.mark.parametrize("body", [b"note=a&note[b]=c", b"note[b]=c&note=a", b"a[b]=c&a[b][d]=e"])
def test_a_name_that_is_both_a_value_and_a_group_is_refused(
    api: httpx2.Client, body: bytes
) -> None:
    answer = post(api, INVOICE + b"&" + body)

    assert answer.status_code == 400
    assert answer.json()["error_msg"] == "is sent both as a value and as a group"


def test_a_multipart_body_is_read(api: httpx2.Client) -> None:
    fields = {"invoice_id": (None, "__demo_inv__1"), "note": (None, "a+b%20 é\r\n=&")}

    answer = api.post("/orders", files=fields)

    assert answer.status_code == 200
    assert answer.json()["order"]["note"] == "a+b%20 é\r\n=&"


def test_a_multipart_body_may_hold_groups(api: httpx2.Client, order_id: str) -> None:
    fields = {"shipping_address[email]": (None, "ada")}

    answer = api.post(f"/orders/{order_id}", files=fields)

    assert answer.json()["message"] == "shipping_address[email] : wrong format"


def test_a_file_in_a_multipart_body_is_refused_by_name(api: httpx2.Client) -> None:
    answer = api.post("/orders", files={"note": ("note.txt", b"text")})

    assert answer.status_code == 400
    assert answer.json()["message"] == "note : is a file, where a text is expected"


@pytest.mark.parametrize(
    ("content_type", "body", "message"),
    [
        ("multipart/form-data", b"--b--\r\n", "The multipart body names no boundary"),
        ("multipart/form-data; boundary=b", b"", "The multipart body is broken"),
        ("multipart/form-data; boundary=b", b"nonsense", "The multipart body is broken"),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="note"\r\n\r\ncut',
            "The multipart body is broken",
        ),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="note"\r\n\r\n\xff\r\n--b--\r\n',
            "The parameters are not valid UTF-8",
        ),
        (URLENCODED, b"note=%", "A % in the parameters is not followed by two digits"),
        (URLENCODED, b"note=%G1", "A % in the parameters is not followed by two digits"),
        (URLENCODED, b"no%2te=x", "A % in the parameters is not followed by two digits"),
        (URLENCODED, b"note=%FF", "The parameters are not valid UTF-8"),
        (URLENCODED, b"note=\xff", "The parameters are not valid UTF-8"),
        (URLENCODED, b"note=%ED%A0%80", "The parameters are not valid UTF-8"),
        (URLENCODED, b"note=%C3", "The parameters are not valid UTF-8"),
        (URLENCODED, b"note=a%00b", "note : has a NUL character"),
        (URLENCODED, b"note=a\x00b", "note : has a NUL character"),
        (URLENCODED, b"no%00te=a", "note : has a NUL character"),
        (
            URLENCODED,
            b"a[b][c][d][e][f]=x",
            "a[b][c][d][e][f] : has more than 4 levels of brackets",
        ),
    ],
)
def test_a_malformed_body_is_refused(
    api: httpx2.Client, content_type: str, body: bytes, message: str
) -> None:
    answer = post(api, body, content_type)

    assert answer.status_code == 400
    assert answer.json()["message"] == message
    assert answer.json()["api_error_code"] == "param_wrong_value"
    assert answer.json()["error_code"] == "wrong_format"


def test_four_levels_of_brackets_are_read(api: httpx2.Client) -> None:
    answer = post(api, INVOICE + b"&a[b][c][d][e]=x")

    assert answer.status_code == 200
    assert answer.headers["x-mock-ignored-params"] == "a[b][c][d][e]"


@pytest.mark.parametrize("content_type", [URLENCODED, "multipart/form-data; boundary=b"])
@pytest.mark.parametrize(("count", "status"), [(1000, 200), (1001, 400)])
def test_a_body_has_at_most_a_thousand_parameters(
    api: httpx2.Client, content_type: str, count: int, status: int
) -> None:
    names = ["note"] * (count - 1)
    if content_type == URLENCODED:
        body = INVOICE + b"".join(b"&%s=x" % name.encode() for name in names)
    else:
        part = '--b\r\nContent-Disposition: form-data; name="{}"\r\n\r\n{}\r\n'
        parts = [part.format("invoice_id", "__demo_inv__1")]
        body = "".join([*parts, *(part.format(name, "x") for name in names), "--b--\r\n"]).encode()

    answer = post(api, body, content_type)

    assert answer.status_code == status
    if status == 400:
        assert answer.json()["message"] == "There are more than 1000 parameters"


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "text/xml", None])
def test_a_body_of_another_type_is_not_read_and_the_answer_says_so(
    api: httpx2.Client, mock: httpx2.Client, order_id: str, content_type: str | None
) -> None:
    headers = {} if content_type is None else {"Content-Type": content_type}
    body = b'{"invoice_id": "__demo_inv__1", "note": "x=y"}'

    created = api.post("/orders", content=body, headers=headers)
    updated = api.post(f"/orders/{order_id}", content=body, headers=headers)

    assert created.status_code == 400
    assert created.json()["message"] == "invoice_id : cannot be blank"
    assert updated.status_code == 200
    assert updated.json() == api.get(f"/orders/{order_id}").json()
    assert "note" not in updated.json()["order"]
    sent = f"of type {content_type}" if content_type else "without a Content-Type"
    told = f"The body {sent} is not read; send application/x-www-form-urlencoded"
    for answer in (created, updated):
        assert answer.headers["x-mock-remark"] == told
        id = answer.headers["x-mock-request-id"]
        assert mock.get(f"/requests/{id}").json()["request"]["remarks"] == [told]


def test_a_long_name_of_a_type_that_is_not_read_is_cut_off(api: httpx2.Client) -> None:
    answer = post(api, b"x", "a" * 5000)

    assert answer.headers["x-mock-remark"] == (
        f"The body of type {'a' * 100} is not read; send application/x-www-form-urlencoded"
    )


@pytest.mark.parametrize(
    ("body", "note"),
    [
        (INVOICE + b"&note=a+b", "a b"),
        (INVOICE + b"&note=a=b&shipping_address[city]=Oslo&tags[]=", "a=b"),
        (b"note=&shipping_address%5Bcity%5D=Oslo&" + INVOICE, None),
    ],
)
def test_a_form_that_names_no_type_is_read(
    api: httpx2.Client, body: bytes, note: str | None
) -> None:
    answer = post(api, body, None)

    assert "content-type" not in answer.request.headers
    assert answer.status_code == 200
    assert answer.json()["order"].get("note") == note
    assert "x-mock-remark" not in answer.headers


@pytest.mark.parametrize(
    "body", [b"invoice_id", b"<a b='c'/>", INVOICE + b"&note=%", INVOICE + b"&note=\xff", b"a b=c"]
)
def test_what_names_no_type_and_is_no_form_is_not_read(api: httpx2.Client, body: bytes) -> None:
    answer = post(api, body, None)

    assert answer.json()["message"] == "invoice_id : cannot be blank"
    assert answer.headers["x-mock-remark"] == (
        "The body without a Content-Type is not read; send application/x-www-form-urlencoded"
    )


def test_the_body_of_a_get_is_not_read_and_the_answer_says_so(
    api: httpx2.Client, order_id: str
) -> None:
    answer = api.request("GET", "/orders", data={"limit": "nonsense"})

    assert answer.status_code == 200
    assert answer.headers["x-mock-remark"] == (
        "The body of a GET is not read; send its parameters in the query"
    )
    assert "x-mock-remark" not in api.get("/orders", headers={"Content-Length": "0"}).headers


def test_no_body_needs_no_content_type(api: httpx2.Client, order_id: str) -> None:
    before = api.get(f"/orders/{order_id}").json()

    answer = api.post(f"/orders/{order_id}")

    assert answer.status_code == 200
    assert answer.json() == before


def test_a_body_up_to_the_limit_is_read_and_one_byte_more_is_not(api: httpx2.Client) -> None:
    padding = b"&unknown="
    longest = INVOICE + padding + b"x" * (2**20 - len(INVOICE + padding))

    read = post(api, longest)
    refused = post(api, longest + b"x")

    assert read.status_code == 200
    assert refused.status_code == 413
    assert refused.json()["message"] == "The request body is longer than 1048576 bytes"


def test_a_body_in_chunks_is_read(api: httpx2.Client) -> None:
    answer = post(api, iter([b"invoice_id=__demo", b"_inv__1&note=%C3", b"%A9"]))

    assert answer.request.headers["transfer-encoding"] == "chunked"
    assert answer.json()["order"]["note"] == "é"


def test_a_body_in_chunks_that_grows_too_large_is_refused(api: httpx2.Client) -> None:
    answer = post(api, (b"x" * 2**16 for _ in range(17)))

    assert answer.request.headers["transfer-encoding"] == "chunked"
    assert answer.status_code == 413
    assert answer.json()["api_error_code"] == "invalid_request"
    assert answer.json()["message"] == "The request body is longer than 1048576 bytes"


def test_unknown_parameters_are_ignored_and_named(api: httpx2.Client, mock: httpx2.Client) -> None:
    body = INVOICE + b"&reference=a&billing[city]=b&billing[zip][0]=c&]odd[=d&%C3%A9=e&x,y=f"

    answer = api.post("/orders?test=1", content=body, headers={"Content-Type": URLENCODED})

    assert answer.status_code == 200
    assert answer.headers["x-mock-ignored-params"] == (
        "]odd[, reference, billing[city], billing[zip][0], %C3%A9, x%2Cy, test"
    )
    request = mock.get("/requests").json()["list"][0]["request"]
    assert request["remarks"] == [
        f"parameter {name} is not used; ignored"
        for name in ("]odd[", "reference", "billing[city]", "billing[zip][0]", "é", "x,y", "test")
    ]


def test_a_slip_in_the_name_of_a_required_parameter_is_named(
    api: httpx2.Client, mock: httpx2.Client
) -> None:
    answer = post(api, b"invoiceid=__demo_inv__1")

    assert answer.json()["message"] == "invoice_id : cannot be blank"
    assert answer.headers["x-mock-ignored-params"] == "invoiceid"
    request = mock.get("/requests").json()["list"][0]["request"]
    assert request["remarks"] == ["parameter invoiceid is not used; ignored"]


def test_nothing_is_named_when_everything_is_known(api: httpx2.Client, mock: httpx2.Client) -> None:
    answer = post(api, INVOICE)

    assert "x-mock-ignored-params" not in answer.headers
    assert mock.get("/requests").json()["list"][0]["request"]["remarks"] == []


def test_unknown_parameters_of_a_query_are_ignored_and_named(api: httpx2.Client) -> None:
    answer = api.get("/orders", params={"limit": "1", "sort_by[asc]": "id"})

    assert answer.status_code == 200
    assert answer.headers["x-mock-ignored-params"] == "sort_by[asc]"


@pytest.mark.parametrize("body", [None, {"status": "processing"}, {"note": "x"}])
def test_the_parameters_of_a_post_may_be_in_its_query(
    api: httpx2.Client, body: dict[str, str] | None
) -> None:
    query = "invoice_id=__demo_inv__1&fulfillment_status=a%20b"

    answer = api.post(f"/orders?{query}", data=body)

    assert answer.status_code == 200
    order = answer.json()["order"]
    assert order.items() >= {"fulfillment_status": "a b", **(body or {})}.items()
    assert "x-mock-ignored-params" not in answer.headers


def test_a_group_may_be_in_both(api: httpx2.Client, order_id: str) -> None:
    answer = api.post(
        f"/orders/{order_id}?shipping_address[email]=ada", data={"shipping_address[city]": "Oslo"}
    )

    assert answer.json()["message"] == "shipping_address[email] : wrong format"


def test_of_a_parameter_in_the_body_and_in_the_query_the_bodys_counts(api: httpx2.Client) -> None:
    answer = api.post("/orders?note=query&batch_id=q", data={"note": "body"} | INVOICE_PARAM)

    assert answer.json()["order"]["note"] == "body"
    assert answer.json()["order"]["batch_id"] == "q"
    assert answer.headers["x-mock-ignored-params"] == "note"


def test_a_query_counts_beside_a_body_that_is_not_read(api: httpx2.Client) -> None:
    answer = api.post("/orders?invoice_id=__demo_inv__1", json={"note": "x"})

    assert answer.status_code == 200
    assert "note" not in answer.json()["order"]


def test_body_and_query_have_at_most_a_thousand_parameters_together(api: httpx2.Client) -> None:
    query = "&".join(["note=x"] * 500)

    answers = [
        api.post(f"/orders?{query}", content=INVOICE + b"&a=b" * count, headers=FORM)
        for count in (499, 500)
    ]

    assert [answer.status_code for answer in answers] == [200, 400]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("limit=%", "A % in the parameters is not followed by two digits"),
        ("limit=%FF", "The parameters are not valid UTF-8"),
        ("offset=%00", "offset : has a NUL character"),
        ("limit[a]=1", "limit : wrong format"),
    ],
)
def test_a_malformed_query_is_refused(api: httpx2.Client, query: str, message: str) -> None:
    answer = api.get(httpx2.URL(f"{api.base_url}orders").copy_with(query=query.encode()))

    assert answer.status_code == 400
    assert answer.json()["message"] == message


@pytest.mark.parametrize("name", ["reference", "shipping_address[city]", "]odd["])
def test_a_strict_server_refuses_unknown_parameters_by_name(
    strict: httpx2.Client, name: str
) -> None:
    answer = strict.post("/orders", data={"invoice_id": "__demo_inv__1", name: "x"})

    assert answer.status_code == 400
    assert answer.json()["message"] == f"{name} : unknown parameter"
    assert answer.json()["api_error_code"] == "param_wrong_value"
    assert strict.get("/orders").json() == {"list": []}


def test_a_strict_server_refuses_unknown_parameters_of_a_query(strict: httpx2.Client) -> None:
    answer = strict.get("/orders?limits=5")

    assert answer.status_code == 400
    assert answer.json()["message"] == "limits : unknown parameter"


@pytest.mark.parametrize("content_type", ["application/json", None])
def test_a_strict_server_refuses_a_body_that_it_does_not_read(
    strict: httpx2.Client, content_type: str | None
) -> None:
    order = strict.post("/orders", data=INVOICE_PARAM).json()["order"]

    answer = post(strict, b"{}", content_type, path=f"/orders/{order['id']}")

    sent = f"of type {content_type}" if content_type else "without a Content-Type"
    assert answer.status_code == 400
    assert answer.json()["api_error_code"] == "invalid_request"
    assert answer.json()["message"] == (
        f"The body {sent} is not read; send application/x-www-form-urlencoded"
    )


def test_a_strict_server_takes_what_it_knows(strict: httpx2.Client) -> None:
    created = strict.post("/orders", data={"id": "o", "invoice_id": "__demo_inv__1"})
    updated = strict.post("/orders/o", data={"shipping_address[city]": "Oslo"})

    assert (created.status_code, updated.status_code) == (200, 200)
