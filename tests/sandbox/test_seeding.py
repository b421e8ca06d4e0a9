"""`/_mock/seed` and `/_mock/export`: a fixture goes in whole or not at all, and comes out."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import jsonschema_rs
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mock_server.resources import seed
from tests.server import Server, Site

FIXTURES = Path(__file__).parents[2] / "fixtures"
YAML = {"Content-Type": "application/yaml"}
JSON = {"Content-Type": "application/json"}

CUSTOMER = "- { id: c, created_at: 0 }"
INVOICE = (
    "- { id: i, customer_id: c, status: paid, start_date: 0, currency_code: EUR, sub_total: 0 }"
)
WHOLE = f"""\
customers:
{CUSTOMER}
invoices:
{INVOICE}
orders:
- {{ id: o, invoice_id: i }}
"""


def load(mock: httpx2.Client, text: str, kind: dict[str, str] = YAML) -> httpx2.Response:
    return mock.post("/seed", content=text.encode("utf-8", "surrogatepass"), headers=kind)


def exported(mock: httpx2.Client, **asked: Any) -> dict[str, Any]:
    answer = mock.get("/export", params=asked)
    assert answer.status_code == 200, answer.text
    held: dict[str, Any] = answer.json()
    return held


def empty(server: Server) -> Site:
    site = httpx2.post(f"{server.url}/_mock/sites", json={"seed": {}}).json()["site"]
    return server.site(site["name"])


def test_a_fixture_is_added_to_what_is_there(mock: httpx2.Client, api: httpx2.Client) -> None:
    before = exported(mock)

    answer = load(mock, WHOLE)

    assert answer.json() == {"loaded": {"customers": 1, "invoices": 1, "orders": 1}}
    after = exported(mock)
    assert after["customers"][:-1] == before["customers"]
    assert after["customers"][-1]["id"] == "c"
    assert api.get("/orders/o").json()["order"]["invoice_id"] == "i"


def test_an_order_has_what_creating_it_would_have_given_it(
    mock: httpx2.Client, api: httpx2.Client
) -> None:
    load(mock, WHOLE)

    order = api.get("/orders/o").json()["order"]

    assert order["created_at"] == order["status_update_at"] > 1_700_000_000
    assert order == {
        "id": "o",
        "invoice_id": "i",
        "status": "new",
        "created_by": "full_access_key_v1",
        "created_at": order["created_at"],
        "status_update_at": order["created_at"],
        "currency_code": "EUR",
        "object": "order",
    }


def test_what_has_the_same_id_is_replaced(mock: httpx2.Client, api: httpx2.Client) -> None:
    endpoint = {"id": "e", "name": "First", "disabled": True, "enabled_events": ["order_created"]}
    load(mock, WHOLE + "webhook_endpoints: [" + json.dumps(endpoint) + "]")
    load(mock, 'customers: [{ id: c, created_at: 1, company: "New & Co." }]')
    load(mock, "webhook_endpoints: [{ id: e, name: Second }]")
    load(mock, "orders: [{ id: o, invoice_id: __demo_inv__1, status: complete, created_at: 5 }]")

    assert api.get("/customers/c").json()["customer"]["company"] == "New & Co."
    order = api.get("/orders/o").json()["order"]
    assert (order["status"], order["currency_code"]) == ("complete", "USD")
    assert order["status_update_at"] == order["created_at"] == 5
    (changed,) = [one for one in exported(mock)["webhook_endpoints"] if one["id"] == "e"]
    assert changed == {
        "id": "e",
        "name": "Second",
        "primary_url": False,
        "disabled": False,
        "api_version": "v1",
    }


def test_loading_a_fixture_twice_is_loading_it_once(mock: httpx2.Client) -> None:
    text = WHOLE.replace("invoice_id: i", "invoice_id: i, created_at: 3")
    load(mock, text)
    once = exported(mock)

    load(mock, text)

    assert exported(mock) == once


def test_a_large_fixture_is_loaded_as_a_small_one_is(server: Server) -> None:
    billed = {"id": "i", "customer_id": "c", "status": "paid", "start_date": 7, "sub_total": 1}
    fixture: dict[str, Any] = {
        "customers": [{"id": "c", "created_at": 7}],
        "invoices": [billed | {"currency_code": "EUR"}],
        "orders": [
            {"id": "bare", "invoice_id": "i"},
            {"id": "old", "invoice_id": "i", "created_at": 5},
            {"id": "whole", "invoice_id": "i", "currency_code": "USD", "status_update_at": 6},
        ],
    }
    more = {"customers": [{"id": f"c{number}", "created_at": number} for number in range(1000)]}
    sites = [empty(server), empty(server)]
    for site in sites:
        with site.mock() as mock:
            mock.post("/clock/freeze", json={"at": 1_800_000_000}).raise_for_status()
    with sites[0].mock() as small, sites[1].mock() as large:
        small.post("/seed", json=fixture).raise_for_status()
        large.post("/seed", json={**fixture, "customers": fixture["customers"] + more["customers"]})
        large.post("/seed", json={"customers": more["customers"]}).raise_for_status()

        assert exported(large)["orders"] == exported(small)["orders"]
        assert len(exported(large)["customers"]) == 1001

        lost = [{"id": "lost", "invoice_id": "nowhere"}]
        refused = large.post("/seed", json={**more, "orders": lost})
        assert refused.json()["message"] == (
            "line 1: orders[0].invoice_id: there is no invoice nowhere"
        )
        assert len(exported(large)["orders"]) == 3


def test_nothing_is_recorded_of_a_fixture(mock: httpx2.Client) -> None:
    load(mock, WHOLE)

    for kind in ("events", "webhooks", "emails", "requests"):
        assert mock.get(f"/{kind}").json() == {"list": []}


def test_a_fixture_may_refer_to_what_the_site_has(mock: httpx2.Client, api: httpx2.Client) -> None:
    assert load(mock, "orders: [{ id: o, invoice_id: __demo_inv__3 }]").status_code == 200
    assert api.get("/orders/o").json()["order"]["currency_code"] == "GBP"


def test_an_api_key_of_a_fixture_holds_at_once_and_on_this_site_only(
    server: Server, site: Site, api: httpx2.Client, mock: httpx2.Client
) -> None:
    with site.api("test_late") as late, server.site().api("test_late") as elsewhere:
        order = {"invoice_id": "__demo_inv__1"}
        assert late.post("/orders", data=order).status_code == 200

        load(mock, "api_keys: [{ secret: test_late, name: late, role: read_only_access }]")

        assert late.post("/orders", data=order).status_code == 403
        assert elsewhere.post("/orders", data=order).status_code == 200


def test_json_may_have_what_yaml_may_not(mock: httpx2.Client) -> None:
    text = '{\n\t"customers":\t[{"id": "\\ud83d\\ude00\\/", "created_at": 0}]\n}'

    assert load(mock, text, JSON).status_code == 200
    assert exported(mock)["customers"][-1]["id"] == "😀/"


def test_anchors_and_merges_are_understood(mock: httpx2.Client) -> None:
    text = "customers:\n- &c { id: c, created_at: 0 }\n- { <<: *c, id: d }\n"

    assert load(mock, text).json() == {"loaded": {"customers": 2}}


def test_values_without_quotes_mean_what_they_say(mock: httpx2.Client, api: httpx2.Client) -> None:
    address = "{ zip: 00777, line1: 1:30 }"
    load(
        mock,
        f"customers: [{{ id: c, created_at: 0, auto_collection: off, phone: 2024-01-31,"
        f" billing_address: {address} }}]",
    )

    customer = api.get("/customers/c").json()["customer"]
    assert (customer["auto_collection"], customer["phone"]) == ("off", "2024-01-31")
    assert customer["billing_address"]["zip"] == "00777"


ANSWERED = {
    "list": [
        {
            "customer": {
                "id": "AzqOd0VMyVsW3aOz",
                "email": "ada@example.com",
                "auto_collection": "on",
                "net_term_days": 0,
                "created_at": 1779471443,
                "resource_version": 1779471443210,
                "deleted": False,
                "object": "customer",
                "billing_address": {
                    "first_name": "Ada",
                    "validation_status": "not_validated",
                    "object": "billing_address",
                },
                "card_status": "valid",
                "contacts": [{"id": "k", "email": "k@example.com", "object": "contact", "x": 1}],
                "balances": [],
                "meta_data": {"object": "kept", "seats": 12},
            },
            "card": {"object": "card"},
        }
    ],
    "next_offset": '["1","2"]',
}


@pytest.mark.parametrize("kind", [JSON, YAML])
@pytest.mark.parametrize(
    ("form", "prefix"),
    [
        (lambda answer: answer, "list[0]"),
        (lambda answer: {"customers": answer["list"]}, "customers[0]"),
        (lambda answer: {"customers": answer}, "customers.list[0]"),
    ],
)
def test_an_answer_of_an_api_is_a_fixture_and_what_is_not_kept_is_named(
    mock: httpx2.Client, api: httpx2.Client, kind: dict[str, str], form: Any, prefix: str
) -> None:
    answer = load(mock, json.dumps(form(ANSWERED), indent=1), kind)

    assert answer.status_code == 200, answer.text
    assert answer.json()["loaded"] == {"customers": 1}
    ignored = answer.json()["ignored"]
    assert [path for path in ignored if path.startswith(prefix)] == [
        f"{prefix}.customer.net_term_days",
        f"{prefix}.customer.resource_version",
        f"{prefix}.customer.deleted",
        f"{prefix}.customer.billing_address.validation_status",
        f"{prefix}.customer.contacts[0].x",
        f"{prefix}.customer.card_status",
        f"{prefix}.card",
    ]
    kept = api.get("/customers/AzqOd0VMyVsW3aOz").json()["customer"]
    assert kept["card_status"] == "no_card"
    assert kept["meta_data"] == {"object": "kept", "seats": 12}
    assert kept["billing_address"] == {"first_name": "Ada", "object": "billing_address"}


def test_what_this_server_answers_is_a_fixture_for_it(
    server: Server, api: httpx2.Client, mock: httpx2.Client, order_id: str
) -> None:
    mock.post("/webhook_endpoints", json={"name": "Mine", "url": "http://127.0.0.1:9"})
    with empty(server).mock() as other:
        for client, path in (
            (api, "/customers"),
            (api, "/invoices"),
            (api, f"/orders/{order_id}"),
            (mock, "/webhook_endpoints"),
        ):
            answer = load(other, client.get(path, params={}).text, JSON)

            assert answer.status_code == 200, answer.text
            linked = [f"list[{index}].invoice.linked_orders" for index in range(5)]
            assert set(answer.json().get("ignored", [])) <= set(linked)

        assert {one["id"] for one in exported(other)["orders"]} == {order_id}
        assert exported(other)["invoices"] == list(reversed(exported(mock)["invoices"]))


def test_of_very_much_that_is_not_kept_the_first_is_named(mock: httpx2.Client) -> None:
    more = {f"cf_{number}": "x" for number in range(150)}
    customer = {"id": "c", "created_at": 0, "object": "customer", **more}

    ignored = load(mock, json.dumps({"customer": customer}), JSON).json()["ignored"]

    assert len(ignored) == 101
    assert ignored[0] == "customer.cf_0"
    assert ignored[-1] == "… and 50 more"


def test_a_new_site_names_what_it_does_not_keep_of_its_seed(server: Server) -> None:
    seed = {"customers": [{"id": "c", "created_at": 0, "object": "customer", "mrr": 1}]}

    answer = httpx2.post(f"{server.url}/_mock/sites", json={"seed": seed})

    assert answer.status_code == 200, answer.text
    assert answer.json()["ignored"] == ["seed.customers[0].mrr"]


def test_a_large_fixture_with_mistakes_makes_nobody_wait(site: Site, mock: httpx2.Client) -> None:
    mistakes = '{"customers": [' + "[]," * 100_000 + "0]}"
    mock.get("/health")
    with ThreadPoolExecutor() as pool, site.mock() as other:
        other.get("/health")
        loading = pool.submit(load, mock, mistakes, JSON)
        waits = []
        while not loading.done():
            started = time.perf_counter()
            other.get("/health")
            waits.append(time.perf_counter() - started)

    assert loading.result().json()["message"].startswith("line 1: customers[0]: is no mapping")
    assert max(waits) < 10  # on a loaded machine; it took 80 s and 10 GB for each 16 MB


@pytest.mark.parametrize("text", ["", "# nothing\n", "{}", "---\n"])
def test_an_empty_fixture_changes_nothing(mock: httpx2.Client, text: str) -> None:
    before = exported(mock)

    assert load(mock, text).json() == {"loaded": {}}
    assert exported(mock) == before


BOMB = "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{former}'] * 10)}]\n"
    for former, name in zip("abcdefg", "bcdefgh", strict=True)
)

BAD = {
    "no YAML": ("customers: [", "line 2: is no YAML: did not find expected node content"),
    "a tab": ("customers:\n\t- {}", "line 2: is no YAML: found character that cannot start"),
    "two documents": ("{}\n---\n{}\n", "line 2: is no YAML: has a second document"),
    "an undefined alias": ("customers: *c", "line 1: is no YAML: there is no anchor c"),
    "code": (
        "a: !!python/object:os.system x",
        "line 1: has the tag tag:yaml.org,2002:python/object:os.system, which is not known here",
    ),
    "a tag that does not fit": ("a: !!int ''", "line 1: is no int"),
    "a float beyond all": (
        f"customers: [{{ id: c, created_at: !!float 1{'0' * 350} }}]",
        "line 1: is a number that no float can hold",
    ),
    "a float of very many digits": (
        f"a: !!float {'1' * 5000}",
        "line 1: is a number that no float can hold",
    ),
    "an anchor at a merge": (
        "customers:\n- { id: c, created_at: 0,\n  meta_data: { &a <<: { b: 1 }, x: *a } }",
        "line 3: has an anchor at a <<, which is no value",
    ),
    "no mapping": ("- 1", "line 1: is no mapping of names to values"),
    "an unknown kind": ("custmers: []", "line 1: custmers: is no attribute that is known here"),
    "no list": ("customers: { id: c }", "line 1: customers: Input should be a valid list"),
    "a key twice": (
        f"{WHOLE}customers: []\n",
        "line 7: has the key customers twice",
    ),
    "a key that is a number": ("1: 2", "line 1: has the key 1, which is no text; quote it"),
    "a key that is a list": ("? [a]\n: 1", "line 1: has a key that is no text"),
    "itself": ("customers: &c [*c]", "line 1: refers to itself"),
    "too deep": ("[" * 100_000, "line 1: is nested more than 100 levels deep"),
    "too many": (BOMB, "line 6: holds more than 1000000 values"),
    "a missing attribute": (
        "customers:\n- id: c\n",
        "line 2: customers[0].created_at: is missing",
    ),
    "an unknown attribute": (
        f"{WHOLE}- {{ id: p, invoice_id: i, stats: new }}",
        "line 7: orders[1].stats: is no attribute that is known here",
    ),
    "a wrong type": (
        "customers:\n- { id: c, created_at: 0,\n    auto_collection: yes }",
        "line 3: customers[0].auto_collection: yes is not one of on, off",
    ),
    "a wrong value inside": (
        "customers:\n- { id: c, created_at: 0, billing_address: { email: x } }",
        "line 2: customers[0].billing_address.email: String should match pattern",
    ),
    "a date": (
        "customers:\n- id: c\n  created_at: 2024-01-31\n",
        "line 3: customers[0].created_at: Input should be a valid integer, unable to parse",
    ),
    "a number beyond 64 bits": (
        f"customers: [{{ id: c, created_at: {2**63} }}]",
        "line 1: customers[0].created_at: is a number beyond 64 bits",
    ),
    "a number of many digits": (
        "a: " + "1" * 5000,
        "line 1: a: is a number beyond 64 bits",
    ),
    "no number": (
        "customers: [{ id: c, created_at: 0, meta_data: { a: .nan } }]",
        "line 1: customers[0].meta_data.a: is no number",
    ),
    "a blank id": (
        'customers: [{ id: " ", created_at: 0 }]',
        "line 1: customers[0].id: cannot be blank",
    ),
    "an id that is too long": (
        f"customers: [{{ id: {'c' * 51}, created_at: 0 }}]",
        "line 1: customers[0].id: String should have at most 50 characters",
    ),
    "an id twice": (
        f"customers:\n{CUSTOMER}\n{CUSTOMER}\n",
        "line 3: customers[1].id: is there twice: c",
    ),
    "an unknown customer": (
        f"invoices:\n{INVOICE}",
        "line 2: invoices[0].customer_id: there is no customer c",
    ),
    "an unknown invoice": (
        "orders:\n- id: o\n  invoice_id: i",
        "line 3: orders[0].invoice_id: there is no invoice i",
    ),
    "orders linked by hand": (
        WHOLE.replace("sub_total: 0", "sub_total: 0, linked_orders: []"),
        "line 4: invoices[0].linked_orders: follows from what else is stated",
    ),
    "another kind": (
        "customers:\n- { id: c, created_at: 0, object: invoice }",
        "line 2: customers[0].object: is a invoice, where a customer is expected",
    ),
    "a part of another kind": (
        "customers:\n- { id: c, created_at: 0, billing_address: { object: shipping_address } }",
        "line 2: customers[0].billing_address.object: shipping_address is not one of billing_add",
    ),
    "a list of nothing that is known": (
        "list:\n- subscription: { id: s }",
        "line 2: list[0]: is none of the resources that are known here",
    ),
    "a slip in a part": (
        "customers:\n- { id: c, created_at: 0, billing_address: { citty: Oslo } }",
        "line 2: customers[0].billing_address.citty: is no attribute that is known here",
    ),
    "a key of no site": (
        "api_keys: [{ secret: key, name: n }]",
        "line 1: api_keys[0].secret: String should match pattern",
    ),
    "a key of the other kind of site": (
        "api_keys: [{ secret: test_x, name: n, site: acme }]",
        "line 1: api_keys[0].site: is no site that test_x could open: acme",
    ),
    "no URL": (
        "webhook_endpoints: [{ id: e, name: n, url: ftp://127.0.0.1 }]",
        "line 1: webhook_endpoints[0].url: not an http or https URL",
    ),
    "an unknown event": (
        "webhook_endpoints: [{ id: e, name: n, enabled_events: [order_lost] }]",
        "line 1: webhook_endpoints[0].enabled_events[0]: order_lost is no value that is known",
    ),
    "too many endpoints": (
        "webhook_endpoints:\n"
        + "".join(f"- {{ id: e{n}, name: n, url: 'http://127.0.0.1:9' }}\n" for n in range(6)),
        "A site has at most 5 webhook endpoints with a URL",
    ),
}


@pytest.mark.parametrize(("text", "complaint"), BAD.values(), ids=BAD.keys())
def test_a_bad_fixture_is_told_in_one_line_and_changes_nothing(
    mock: httpx2.Client, text: str, complaint: str
) -> None:
    before = exported(mock)

    refused = load(mock, text)

    assert refused.status_code == 400
    assert refused.json()["message"].startswith(complaint)
    assert "\n" not in refused.json()["message"]
    assert exported(mock) == before


BAD_JSON = {
    "no JSON": ('{"a": ', "line 1: is no JSON: Expecting value"),
    "a key twice": ('{\n\t"a": 1,\n\t"a": 2}', "line 3: has the key a twice"),
    "a wrong value": (
        '{\n\t"customers": [\n\t\t{"id": "c", "created_at": -1}]}',
        "line 3: customers[0].created_at: Input should be greater than or equal to 0",
    ),
    "no number": ('{"customers": NaN}', "line 1: customers: is no number"),
    "half a character": ('{"a": "\\ud800"}', "line 1: a: holds half of a surrogate pair"),
    "too deep": ("[" * 100_000, "is nested more than 100 levels deep"),
    "no UTF-8": ('{"a": "\ud800"}', "is not written in UTF-8"),
}


@pytest.mark.parametrize(("text", "complaint"), BAD_JSON.values(), ids=BAD_JSON.keys())
def test_bad_json_is_told_in_one_line_too(mock: httpx2.Client, text: str, complaint: str) -> None:
    refused = load(mock, text, JSON)

    assert refused.status_code == 400
    assert refused.json()["message"].startswith(complaint)
    assert "\n" not in refused.json()["message"]


def test_what_is_wrong_is_named_by_its_path(mock: httpx2.Client) -> None:
    refused = load(mock, "customers:\n- id: c\n").json()

    assert refused["param"] == refused["error_param"] == "customers[0].created_at"
    assert refused["error_msg"] == "is missing"


def test_a_fixture_that_is_too_long_is_refused(mock: httpx2.Client) -> None:
    refused = load(mock, "#" * (16 * 1024 * 1024 + 1))

    assert refused.status_code == 413


def test_what_the_api_made_comes_out_and_goes_in_again(
    server: Server, api: httpx2.Client, mock: httpx2.Client, order_id: str
) -> None:
    address = {"shipping_address[city]": "Cork", "shipping_address[zip]": "007"}
    api.post(f"/orders/{order_id}", data={"note": "on: off\n#", "status": "complete", **address})
    api.post("/invoices/charge", data={"customer_id": "__demo_cus__1", "amount": 1})
    endpoint = {"name": "Mine", "url": "http://u:p@127.0.0.1:9", "chaos": {"delay": 0.5}}
    mock.post("/webhook_endpoints", json=endpoint)
    everything = exported(mock, passwords=True)

    for format, kind in (("json", JSON), ("yaml", YAML)):
        text = mock.get("/export", params={"format": format, "passwords": True}).text
        with empty(server).mock() as other:
            assert load(other, text, kind).status_code == 200
            assert exported(other, passwords=True) == everything
            assert other.get("/webhook_endpoints").json() == mock.get("/webhook_endpoints").json()
    assert everything["orders"][0]["shipping_address"] == {"city": "Cork", "zip": "007"}


@pytest.mark.parametrize("format", ["json", "yaml"])
def test_an_export_of_many_is_one_fixture_that_is_written_as_it_would_be_whole(
    server: Server, format: str
) -> None:
    customers = [{"id": f"c{number}", "created_at": number} for number in range(1001)]
    with empty(server).mock() as mock:
        assert mock.get("/export", params={"format": format}).text == (
            "{}" if format == "json" else "{}\n"
        )
        mock.post("/seed", json={"customers": customers}).raise_for_status()

        text = mock.get("/export", params={"format": format}).text

    held = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    assert [customer["id"] for customer in held["customers"]] == [one["id"] for one in customers]
    if format == "json":
        assert text == json.dumps(held, ensure_ascii=False, indent=2)
    else:
        assert text == yaml.dump(held, sort_keys=False, allow_unicode=True)


def test_passwords_are_left_out_unless_asked_for(mock: httpx2.Client) -> None:
    endpoint = {"name": "Mine", "basic_auth_username": "u", "basic_auth_password": "hush"}
    mock.post("/webhook_endpoints", json=endpoint)

    assert "hush" not in mock.get("/export").text
    assert exported(mock)["webhook_endpoints"][-1]["basic_auth_username"] == "u"
    assert "hush" in mock.get("/export", params={"passwords": True}).text


def test_endpoints_of_the_servers_options_are_not_the_sites(database: Path) -> None:
    with (
        Server(database, "--webhook-url", "http://127.0.0.1:9/") as server,
        server.site().mock() as mock,
    ):
        assert len(mock.get("/webhook_endpoints").json()["list"]) == 2
        assert len(exported(mock)["webhook_endpoints"]) == 1


def test_the_demo_seed_comes_out_as_it_is_written(mock: httpx2.Client) -> None:
    written = yaml.safe_load((FIXTURES / "demo.yaml").read_text("utf-8"))
    held = exported(mock)

    assert held.keys() == written.keys()
    for kind, things in written.items():
        for thing, shown in zip(things, held[kind], strict=True):
            assert {name: shown[name] for name in thing} == thing | _defaults_inside(thing, shown)


def _defaults_inside(thing: dict[str, Any], shown: dict[str, Any]) -> dict[str, Any]:
    """Groups and lists are shown with their own defaults, which the file leaves out."""
    return {name: shown[name] for name in thing if isinstance(thing[name], dict | list)}


WORDS = st.text(min_size=1, max_size=40).filter(lambda text: not text.isspace())
PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
MOMENTS = st.integers(0, 2**40)
ADDRESSES = st.fixed_dictionaries({}, optional={"city": WORDS, "zip": st.text(max_size=20)})


@st.composite
def fixtures(draw: st.DrawFn) -> dict[str, Any]:
    """Fixtures of any text in which everything refers to something that is there."""

    def some(
        required: dict[str, Any], optional: dict[str, Any], *referred: list[str]
    ) -> list[dict[str, Any]]:
        if not all(referred):  # there is nothing to refer to
            return []
        things = st.fixed_dictionaries({"id": WORDS, **required}, optional=optional)
        return draw(st.lists(things, max_size=3, unique_by=lambda thing: thing["id"]))

    customers = some(
        {"created_at": MOMENTS},
        {
            "company": st.text(max_size=250),
            "billing_address": ADDRESSES,
            "meta_data": st.dictionaries(st.text(), PLAIN, max_size=3),
        },
    )
    known = [customer["id"] for customer in customers]
    invoices = some(
        {
            "customer_id": st.deferred(lambda: st.sampled_from(known)),
            "status": st.sampled_from(["paid", "voided", "pending"]),
            "start_date": MOMENTS,
            "currency_code": st.sampled_from(["USD", "EUR"]),
            "sub_total": st.integers(0, 2**63 - 1),
        },
        {"recurring": st.booleans(), "notes": st.just([])},
        known,
    )
    billed = [invoice["id"] for invoice in invoices]
    orders = some(
        {"invoice_id": st.deferred(lambda: st.sampled_from(billed)), "created_at": MOMENTS},
        {"note": st.text(max_size=600), "shipping_address": ADDRESSES},
        billed,
    )
    return {"customers": customers, "invoices": invoices, "orders": orders}


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(fixtures())
def test_any_sound_fixture_comes_out_and_goes_in_again(
    server: Server, fixture: dict[str, Any]
) -> None:
    with empty(server).mock() as one, empty(server).mock() as other:
        answer = load(one, json.dumps(fixture), JSON)
        assert answer.status_code == 200, answer.text
        text = one.get("/export", params={"format": "yaml"}).text
        assert load(other, text).status_code == 200

        held = exported(one)
        assert exported(other) == held
    for kind, things in fixture.items():
        for thing, shown in zip(things, held.get(kind, []), strict=True):
            assert {name: shown[name] for name in thing} == thing


def test_the_published_schema_is_the_one_in_fixtures(mock: httpx2.Client) -> None:
    published = mock.get("/seed.schema.json")

    assert published.headers["content-type"] == "application/schema+json"
    assert published.text == (FIXTURES / "seed.schema.json").read_text("utf-8")
    assert published.json() == seed.schema()


def test_editors_find_the_schema_from_the_demo_seed() -> None:
    first = (FIXTURES / "demo.yaml").read_text("utf-8").partition("\n")[0]

    assert first == "# yaml-language-server: $schema=seed.schema.json"


@pytest.mark.parametrize(
    ("text", "sound"),
    [
        ((FIXTURES / "demo.yaml").read_text("utf-8"), True),
        (WHOLE, True),
        ("custmers: []", False),
        ("customers: [{ id: c }]", False),
        ("customers: [{ id: c, created_at: 0, auto_collection: sometimes }]", False),
        ("orders: [{ id: o }]", False),
        (WHOLE.replace("sub_total: 0", "sub_total: 0, linked_orders: []"), False),
    ],
)
def test_the_schema_tells_sound_fixtures_from_others(text: str, sound: bool) -> None:
    validator = jsonschema_rs.validator_for(seed.schema())

    assert validator.is_valid(yaml.safe_load(text)) is sound
