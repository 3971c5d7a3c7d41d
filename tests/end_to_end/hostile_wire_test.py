"""Every kind of malformed request over a socket: how it is answered, and that the node goes on."""

import unittest

import wire
from hostile import CLOSE, HUGE, HostileTest, Raw, error_of, fetch, request
from hostile_rows import ROWS
from processes import eventually


class HostileWire(HostileTest):
    def test_every_malformed_request_gets_its_error_or_is_closed(self):
        node = self.target()
        wrong = []
        for name, sent, expected in ROWS:
            with Raw(node) as connection:
                try:
                    answer = connection.ask(sent)
                    got = answer if answer == CLOSE else error_of(sent, answer)
                except TimeoutError:
                    got = "no answer"
                if (got, expected) == (wire.NOT_LEADER, 0):  # of a topic made a moment ago
                    eventually(lambda again=sent: self.ask(node, again) == 0, what=name)
                elif got != expected:
                    wrong.append(f"{name}: {got}, expected {expected}")
                # Whose request was answered may go on, who was closed may not.
                elif got != CLOSE and connection.ask(request("ApiVersions", 0)) == CLOSE:
                    wrong.append(f"{name}: closed after its answer")
            self.check_serves(node, name)
        self.assertEqual([], wrong, "\n".join(wrong))
        self.say(f"{len(ROWS)} requests")
        self.check_unharmed()

    def test_the_answer_to_an_unknown_version_names_one_api(self):
        node = self.target()
        with Raw(node) as connection:
            answer = connection.ask(request("ApiVersions", 77, correlation=-9))
            # Correlation id, error 35, one entry: API 18, versions 0 to 4; nothing of later forms.
            self.assertEqual("fffffff7" "0023" "00000001" "001200000004", answer.hex())
        self.check_unharmed()

    def test_a_fetch_that_waits_without_end_is_clamped_and_ends_with_its_topic(self):
        node = self.target()
        with Raw(node, timeout=30) as connection:
            waits = fetch(offset=0, wait=HUGE, least=HUGE)
            connection.send(waits)
            self.check_serves(node, "a fetch that waits")
            self.assertEqual(0, error_of(waits, connection.answer()))
        self.check_unharmed()


if __name__ == "__main__":
    unittest.main()
