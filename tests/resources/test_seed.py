"""The seed file: what is wrong with one is said in one line, with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from mock_server.resources.seed import Seed, SeedError, load
from mock_server.settings import default_seed

CUSTOMER = '{ id: c, auto_collection: "off", created_at: 0 }'
INVOICE = "{ id: i, customer_id: c, status: paid, start_date: 0, currency_code: EUR, sub_total: 0 }"


def test_the_demo_seed_has_invoices_of_several_statuses_and_currencies() -> None:
    seed = load(default_seed())

    assert [invoice.id for invoice in seed.invoices] == [
        f"__demo_inv__{number}" for number in range(1, 6)
    ]
    assert len({invoice.status for invoice in seed.invoices}) == 5
    assert len({invoice.currency_code for invoice in seed.invoices}) == 4


def test_an_empty_seed_is_a_seed(tmp_path: Path) -> None:
    seed = tmp_path / "seed.yaml"
    seed.write_text("# nothing\n")

    assert load(str(seed)) == Seed()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("customers: [", ", line 2: is no YAML: "),
        ("custmers: []", ", line 1: custmers: is no attribute that is known here"),
        (
            "customers:\n  - { id: c, created_at: soon }",
            ", line 2: customers[0].created_at: Input should be a valid integer",
        ),
        (
            "api_keys: [{ secret: key, name: n }]",
            ", line 1: api_keys[0].secret: String should match pattern",
        ),
        (
            "api_keys: [{ secret: test_a key, name: n }]",
            ", line 1: api_keys[0].secret: String should match pattern",
        ),
        (
            'api_keys: [{ secret: "test_a:b", name: n }]',
            ", line 1: api_keys[0].secret: String should match pattern",
        ),
        (f"customers: [{CUSTOMER}, {CUSTOMER}]", ", line 1: customers[1].id: is there twice: c"),
        (
            f"customers: [{CUSTOMER}]\ninvoices: [{INVOICE}, {INVOICE}]",
            ", line 2: invoices[1].id: is there twice: i",
        ),
        (
            "webhook_endpoints: [{ id: e, name: a }, { id: e, name: b }]",
            ", line 1: webhook_endpoints[1].id: is there twice: e",
        ),
        (f"invoices: [{INVOICE}]", ", line 1: invoices[0].customer_id: there is no customer c"),
    ],
)
def test_a_seed_that_is_wrong_is_refused_in_one_line(
    tmp_path: Path, text: str, reason: str
) -> None:
    seed = tmp_path / "seed.yaml"
    seed.write_text(text)

    with pytest.raises(SeedError) as refused:
        load(str(seed))

    assert str(refused.value).startswith(f"the seed {seed}{reason}")
    assert "\n" not in str(refused.value)


def test_what_is_not_kept_of_a_seed_is_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    seed = tmp_path / "seed.yaml"
    seed.write_text("customers: [{ id: c, created_at: 0, object: customer, mrr: 1 }]")

    load(str(seed))

    assert caplog.messages == [f"the seed {seed}: not kept: customers[0].mrr"]


def test_a_seed_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SeedError, match=r"cannot read the seed .*nowhere\.yaml: "):
        load(str(tmp_path / "nowhere.yaml"))
