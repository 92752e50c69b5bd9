import re
from typing import Any

import pytest
from django.test import Client

from desk.accounts.models import User
from desk.api.keys import check_token

pytestmark = pytest.mark.django_db(transaction=True)
PASSWORD = "a horse that staples batteries"


def browser_of(user: User) -> Client:
    client = Client()
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def alice_signs_in(alice: User) -> User:
    alice.set_password(PASSWORD)
    alice.save()
    return alice


def test_a_wrong_password_is_said_without_telling_which_part_was_wrong(alice_signs_in: User) -> None:
    page = Client().post("/accounts/sign-in/", {"username": "alice", "password": "guess"})
    text = page.content.decode()
    assert (page.status_code, 'value="alice"' in text, "guess" in text) == (422, True, False)
    assert "User name and password do not belong together" in text


def test_guessing_is_locked_for_a_while_and_open_sessions_go_on(alice_signs_in: User) -> None:
    browser = browser_of(alice_signs_in)
    for _ in range(10):
        page = Client().post("/accounts/sign-in/", {"username": "alice", "password": "guess"})
    assert (page.status_code, "too many wrong passwords" in page.content.decode()) == (429, True)
    right = Client().post("/accounts/sign-in/", {"username": "alice", "password": PASSWORD})
    assert (right.status_code, browser.get("/risk/kill/").status_code) == (429, 200)


def test_a_form_of_another_site_does_nothing_and_says_so(alice: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice, "django.contrib.auth.backends.ModelBackend")
    page = browser.post("/accounts/sign-out/")
    assert (page.status_code, "nothing was done" in page.content.decode()) == (403, True)
    assert browser.get("/accounts/").status_code == 200


def test_signing_in_goes_where_one_was_headed(alice_signs_in: User) -> None:
    page = Client().post("/accounts/sign-in/?next=/risk/kill/", {"username": "alice", "password": PASSWORD})
    assert (page.status_code, page.headers["Location"]) == (302, "/risk/kill/")


def test_signing_out_clears_what_the_browser_kept(alice: User) -> None:
    browser = browser_of(alice)
    answer = browser.post("/accounts/sign-out/")
    assert answer.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert browser.get("/").status_code == 302


def test_a_new_password_ends_the_other_sessions(alice_signs_in: User) -> None:
    here, there = browser_of(alice_signs_in), browser_of(alice_signs_in)
    new = "another horse that staples"
    form = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    assert here.post("/accounts/password/", form).status_code == 302
    assert (here.get("/accounts/").status_code, there.get("/accounts/").status_code) == (200, 302)


def test_a_password_that_is_too_short_is_said_beside_the_field(alice_signs_in: User) -> None:
    form = {"old_password": PASSWORD, "new_password1": "short", "new_password2": "short"}
    page = browser_of(alice_signs_in).post("/accounts/password/", form)
    assert (page.status_code, "at least 15 characters" in page.content.decode()) == (422, True)


def test_other_sessions_are_ended_and_this_one_stays(alice: User) -> None:
    here, there = browser_of(alice), browser_of(alice)
    here.post("/accounts/sessions/end/")
    assert (here.get("/accounts/").status_code, there.get("/accounts/").status_code) == (200, 302)


def made_key(page: Any) -> str:
    found = re.search(r'<code class="token">([^<]+)</code>', page.content.decode())
    assert found
    return found[1]


def test_a_key_is_shown_once_and_can_be_revoked(alice: User) -> None:
    browser = browser_of(alice)
    page = browser.post("/accounts/keys/", {"name": "my program", "days": "30", "scopes": ["read", "trade"]})
    key = check_token(made_key(page))
    assert key is not None
    assert (key.owner, key.name, key.scopes) == (alice, "my program", ["read", "trade"])
    assert page.headers["Cache-Control"] == "no-store"
    assert b'class="token"' not in browser.get("/accounts/").content
    browser.post("/accounts/keys/revoke/", {"key_id": key.key_id})
    assert check_token(made_key(page)) is None


def test_nobody_revokes_the_key_of_somebody_else(alice: User, bob: User) -> None:
    page = browser_of(alice).post("/accounts/keys/", {"name": "mine", "days": "1", "scopes": ["read"]})
    key = check_token(made_key(page))
    assert key is not None
    assert browser_of(bob).post("/accounts/keys/revoke/", {"key_id": key.key_id}).status_code == 404


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"name": "", "days": "1", "scopes": ["read"]}, "A name has 1 to 60 characters."),
        ({"name": "a", "days": "91", "scopes": ["read"]}, "A key lives from 1 to 90 days."),
        ({"name": "a", "days": "soon", "scopes": ["read"]}, "A key lives from 1 to 90 days."),
        ({"name": "a", "days": "1", "scopes": []}, "Choose at least one scope."),
        ({"name": "a", "days": "1", "scopes": ["everything"]}, "There is no scope &#x27;everything&#x27;."),
    ],
)
def test_a_key_that_cannot_be_says_why(alice: User, typed: dict[str, Any], sentence: str) -> None:
    page = browser_of(alice).post("/accounts/keys/", typed)
    assert (page.status_code, sentence in page.content.decode(), alice.api_keys.count()) == (422, True, 0)
