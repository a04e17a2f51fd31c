"""The page, made once, served, and opened in a real browser."""

from __future__ import annotations

import functools
import http.server
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gst_core.errors import GstError
from gst_core.page.building import build_page
from tests.browser import CHROMIUM

_DRIVER = shutil.which("chromedriver")
#: Seconds that a page may take to load, or to name a file, on a busy machine.
PATIENCE = 180


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    for program in ("clang", "npm"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    folder = tmp_path_factory.mktemp("page") / "site"
    try:
        build_page(folder)
    except GstError as error:
        if "npm cannot fetch" in str(error) or "apt install" in str(error):
            pytest.skip(str(error))
        raise
    return folder


class Server(http.server.ThreadingHTTPServer):
    """A web server of nothing but files."""

    def __init__(self, folder: Path) -> None:
        self.requests: list[str] = []
        requests = self.requests

        class Handler(http.server.SimpleHTTPRequestHandler):
            def log_message(self, format: str, *arguments: Any) -> None:
                requests.append(self.requestline)

        super().__init__(("127.0.0.1", 0), functools.partial(Handler, directory=str(folder)))
        self.url = f"http://127.0.0.1:{self.server_port}/"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self.shutdown()
        self.server_close()


@pytest.fixture(scope="module")
def server(site: Path) -> Iterator[Server]:
    served = Server(site)
    yield served
    served.stop()


class Page:
    """The page in a browser, as a user sees it."""

    def __init__(self, url: str, downloads: Path) -> None:
        from selenium import webdriver
        from selenium.webdriver.chrome.service import Service

        options = webdriver.ChromeOptions()
        options.binary_location = str(CHROMIUM)
        for argument in (
            *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
            *("--disable-background-networking", "--no-first-run", "--window-size=1100,1000"),
        ):
            options.add_argument(argument)
        options.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
        self.driver = webdriver.Chrome(options=options, service=Service(_DRIVER))
        self.driver.set_script_timeout(PATIENCE)
        self.open(url)

    def open(self, url: str) -> None:
        self.driver.get(url)
        self.until(lambda: self.text("status") != "Loading")

    def until(self, done: Any) -> None:
        from selenium.webdriver.support.wait import WebDriverWait

        WebDriverWait(self.driver, PATIENCE, 0.1).until(lambda _: done())

    def find(self, id: str) -> Any:
        return self.driver.find_element("id", id)

    def all(self, selector: str) -> list[Any]:
        return self.driver.find_elements("css selector", selector)

    def text(self, id: str) -> str:
        return str(self.find(id).text)

    def name(self, *files: Path, species: str = "", threshold: str = "0.9") -> None:
        """Choose files and start, without waiting for the end."""
        self.driver.execute_script("document.getElementById('files').value = ''")
        self.find("files").send_keys("\n".join(map(str, files)))
        for id, value in (("species", species), ("threshold", threshold)):
            self.find(id).clear()
            self.find(id).send_keys(value)
        self.find("start").click()

    def done(self) -> None:
        self.until(lambda: self.find("start").is_enabled())

    def download(self, ending: str) -> str:
        """Give the content behind a link whose file's name ends so."""
        (link,) = [
            link
            for link in self.all("#downloads a")
            if link.get_attribute("download").endswith(ending)
        ]
        script = "fetch(arguments[0]).then((r) => r.text()).then(arguments[1])"
        return str(self.driver.execute_async_script(script, link.get_attribute("href")))


@pytest.fixture(scope="module")
def page(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    pytest.importorskip("selenium")
    if CHROMIUM is None or _DRIVER is None:
        pytest.skip("chromium and chromedriver are not installed")
    opened = Page(server.url, tmp_path_factory.mktemp("downloads"))
    yield opened
    opened.driver.quit()
