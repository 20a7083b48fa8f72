"""What a person does in front of the console: looks, clicks, types."""

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

_PATIENCE = 20  # seconds


class Person:
    """Somebody at a browser window. Waits for what should appear, as people do."""

    def __init__(self, window: webdriver.Chrome, desk: str) -> None:
        self.window = window
        self.desk = desk

    def signs_in(self, name: str, password: str) -> None:
        self.opens("/admin/")
        self.types("username", name)
        self.types("password", password)
        self.finds("#login-form button[type=submit]").click()
        self.sees("Today")

    def opens(self, path: str) -> None:
        self.window.get(path if path.startswith("http") else self.desk + path)

    def finds(self, css: str) -> WebElement:
        """The first visible element, waited for."""

        def visible(window: webdriver.Chrome) -> WebElement | None:
            found = window.find_elements(By.CSS_SELECTOR, css)
            return next((each for each in found if each.is_displayed()), None)

        found = WebDriverWait(self.window, _PATIENCE).until(visible, f"Nothing visible: {css}")
        assert found is not None
        return found

    def sees(self, text: str) -> None:
        """Waits until the page says so."""
        WebDriverWait(self.window, _PATIENCE).until(
            lambda window: text in self.page(), f"The page never said “{text}”:\n{self.page()}"
        )

    def page(self) -> str:
        """All visible text."""
        return str(self.window.execute_script("return document.body.innerText"))

    def follows(self, text: str) -> None:
        """Clicks a link by its words."""

        def link(window: webdriver.Chrome) -> WebElement | None:
            found = window.find_elements(By.PARTIAL_LINK_TEXT, text)
            return next((each for each in found if each.is_displayed()), None)

        found = WebDriverWait(self.window, _PATIENCE).until(link, f"No link “{text}”")
        assert found is not None
        found.click()

    def presses(self, act: str, *, saying: str = "") -> None:
        """Presses an act's button and waits for what the desk answers."""
        self.finds(f"#act-{act}").click()
        if saying:
            self.sees(saying)

    def clicks(self, label: str, *, saying: str = "") -> None:
        """Clicks the button with this label and waits for what the desk answers."""

        def button(window: webdriver.Chrome) -> WebElement | None:
            found = window.find_elements(By.CSS_SELECTOR, "button")
            return next((b for b in found if b.is_displayed() and label in b.text), None)

        found = WebDriverWait(self.window, _PATIENCE).until(button, f"No button “{label}”")
        assert found is not None
        self.window.execute_script("arguments[0].scrollIntoView({block: 'center'})", found)
        found.click()
        if saying:
            self.sees(saying)

    def waits_for(self, text: str, path: str) -> None:
        """Looks at a page again and again until it says so."""

        def said(window: webdriver.Chrome) -> bool:
            self.opens(path)
            return text in self.page()

        WebDriverWait(self.window, 2 * _PATIENCE, poll_frequency=0.5).until(
            said, f"“{text}” never came:\n{self.page()}"
        )

    def types(self, field: str, text: str) -> None:
        """Types into a field of a form, over what was there."""
        into = self.finds(f"[name={field}]")
        into.clear()
        into.send_keys(text)

    def writes(self, text: str) -> None:
        """Types at the beginning of the story's text, in the rich text editor."""
        editor = self.finds(".tiptap")
        self.window.execute_script(
            "const range = document.createRange(); range.setStart(arguments[0], 0);"
            "range.collapse(true); arguments[0].focus();"
            "getSelection().removeAllRanges(); getSelection().addRange(range);",
            self.finds(".tiptap > *"),
        )
        editor.send_keys(text)

    def saves(self) -> None:
        self.finds("[name=_save]").click()

    def complaints(self) -> list[str]:
        """What the browser's console complained about since last asked."""
        return [
            entry["message"]
            for entry in self.window.get_log("browser")
            if entry["level"] in ("SEVERE", "WARNING")
        ]
