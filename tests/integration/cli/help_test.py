#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Every command explains itself: --help with an example whose options exist, and JSON by --json."""
import functools
import re
import unittest

from program import BAD_INPUT, FINE, cordon


@functools.lru_cache(maxsize=None)
def help_of(*command):
    return cordon(*command, "--help")


def subcommands(*path):
    """The names under "Subcommands:" of a command's help."""
    text = help_of(*path).out
    found = re.search(r"^Subcommands:\n((?:  .*\n?)+)", text, re.M)
    return re.findall(r"^  (\S+)", found.group(1), re.M) if found else []


def commands():
    """Every command that does something, as its words."""
    for name in subcommands():
        inner = subcommands(name)
        yield from ((name, verb) for verb in inner)
        if not inner:
            yield (name,)


class Help(unittest.TestCase):
    def test_every_command_has_an_example_whose_options_it_knows(self):
        for command in commands():
            with self.subTest(command=" ".join(command)):
                answer = help_of(*command)
                self.assertEqual(answer.code, FINE)
                example = re.search(r"^Examples?:(.*)", answer.out, re.M | re.S)
                self.assertIsNotNone(example, "the help ends with an example")
                self.assertIn("cordon " + " ".join(command), example.group(1).replace("\n", " "))
                known = set(re.findall(r"(--[a-z][a-z0-9-]*)", answer.out[:example.start()]))
                used = set(re.findall(r"(--[a-z][a-z0-9-]*)", example.group(1)))
                self.assertLessEqual(used, known, "the example uses only options that exist")

    def test_every_command_can_print_json(self):
        for command in commands():
            with self.subTest(command=" ".join(command)):
                self.assertIn("--json", help_of(*command).out)

    def test_a_mistyped_command_or_option_is_bad_input_and_points_to_the_help(self):
        for words in (["simulat"], ["check", "--jsn", "x.yaml"], []):
            with self.subTest(words=words):
                answer = cordon(*words)
                self.assertEqual(answer.code, BAD_INPUT)
                self.assertIn("--help", answer.err)


if __name__ == "__main__":
    unittest.main(verbosity=2)
