"""The ``haproxy`` command: reads the command line and the configuration, says what is wrong, and starts.

Exit codes: 0 all is well (or what ``-cc`` asked holds), 1 an error (or it does not hold), 2 the condition
cannot be evaluated, or the checked configuration is right but would not listen anywhere. The last is
what the manual says and older releases do; the reference build of 3.5 returns 0 there.

Nothing is imported before it is needed: ``-v``, ``-cc`` and ``-c`` start quickly.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from evener.cli import haproxy_args
from evener.cli.haproxy_args import CommandLine, UsageError

if TYPE_CHECKING:
    from evener.haproxy.ir import Configuration
    from evener.text.diagnostic import Diagnostics


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with these words (without the program's name); returns the exit code.

    As the program itself (no words given) it does not return: taking the interpreter apart piece by piece
    would cost a tenth of the whole check, and looking for garbage in what all stays another twentieth.
    """
    if argv is not None:
        return _command(list(argv))
    import gc
    import signal

    gc.disable()  # until there is traffic
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # until something handles it, it ends the process
    code = _command(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _command(words: list[str]) -> int:
    try:
        options = haproxy_args.parse(words)
    except UsageError as error:
        return _misused(error)
    if options.show is not None:
        from evener.cli.haproxy_texts import show

        return _say(show(options.show))
    if options.memory_help:
        from evener.cli.haproxy_texts import MEMORY_HELP

        return _say(MEMORY_HELP)
    if options.condition is not None:
        return _condition(options.condition, options)
    if not options.paths:
        return _misused(UsageError())
    return _with_files(options)


def _say(text: str) -> int:
    from evener.text.render import write

    write(1, text)
    return 0


def _misused(error: UsageError) -> int:
    from evener.cli.haproxy_report import complain
    from evener.cli.haproxy_texts import usage_text, version_text
    from evener.text.render import write

    if error.usage:
        write(1, version_text())
    if error.message:
        complain(error.message)
    if error.usage:
        write(2, usage_text(os.path.basename(sys.argv[0] or "haproxy")))
    return 1


def _complain(options: CommandLine, message: str, code: int) -> int:
    if options.speaks:
        from evener.cli.haproxy_report import complain

        complain(message)
    return code


def _condition(text: str, options: CommandLine) -> int:
    from evener.haproxy import tokens
    from evener.haproxy.environment import Environment
    from evener.haproxy.predicates import ConditionError, World, evaluate

    environment = Environment.of_process(master_worker=options.master_worker)
    # A hash is an ordinary character here: it is replaced while the words are cut, and put back.
    stand_in = "\uf8ff"
    try:
        words = tokens.tokenize(text.replace("\n", " ").replace("#", stand_in), environment.get)
        joined = " ".join(words).replace(stand_in, "#")
        holds = evaluate(joined, World(environment.get, _enabled(options)))
    except tokens.BrokenLine as error:
        what = tokens.MESSAGES[error.code].capitalize()
        return _complain(options, f"Syntax Error in condition: {what}.", 2)
    except ConditionError as error:
        return _complain(options, f"Failed to evaluate condition: {error.message}", 2)
    return 0 if holds else 1


def _enabled(options: CommandLine) -> frozenset[str]:
    from evener.haproxy.build import ENABLED

    more = {"SERVER-SSL-VERIFY-NONE"} if options.verify_none else set()
    return (ENABLED | more) - options.off


def _with_files(options: CommandLine) -> int:
    from evener.haproxy.files import configuration_files
    from evener.text.diagnostic import Diagnostics

    if options.directory is not None:
        try:
            os.chdir(options.directory)
        except (OSError, ValueError) as error:
            reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
            what = f"Could not change to directory {options.directory} : {reason}"
            return _complain(options, what, 1)
    if options.master_sockets and not options.master_worker:
        what = "a master CLI socket was defined, but master-worker mode (-W) is not enabled."
        return _complain(options, what, 1)
    diagnostics = Diagnostics()
    files = configuration_files(options.paths, diagnostics)
    if diagnostics.has_errors:
        return _refused(options, diagnostics)
    if not files:
        return _misused(UsageError())
    if options.dump_lines is not None:
        from evener.cli.haproxy_dump import dump

        dump(files, options.dump_lines, diagnostics)
        return _refused(options, diagnostics) if diagnostics.has_errors else 0
    return _load(files, options, diagnostics)


def _load(files: list[str], options: CommandLine, diagnostics: Diagnostics) -> int:
    from evener.haproxy.environment import Environment
    from evener.haproxy.reader import ReadOptions
    from evener.haproxy.resolve import load
    from evener.text.diagnostic import FatalConfiguration

    environment = Environment.of_process(master_worker=options.master_worker)
    how = ReadOptions(
        environment, options.local_peer, _enabled(options), options.check, options.ignore_resolution
    )
    try:
        configuration = load(files, diagnostics, how)
    except FatalConfiguration:
        return _refused(options, diagnostics)
    if options.dump_keywords is not None:
        from evener.cli.haproxy_keywords import dump_keywords

        _say(dump_keywords(options.dump_keywords))
    if diagnostics.has_errors or configuration is None:
        return _refused(options, diagnostics)
    if options.check:
        from evener.haproxy.crosscheck_global import left_behind

        left_behind(configuration.global_, diagnostics)
    return _conclude(configuration, replace(options, environment=environment), diagnostics)


def _refused(options: CommandLine, diagnostics: Diagnostics) -> int:
    _report(options, diagnostics)
    return 1


def _report(options: CommandLine, diagnostics: Diagnostics) -> None:
    if options.speaks and len(diagnostics):
        from evener.cli.haproxy_report import report, with_conclusions

        report(with_conclusions(diagnostics, diagnostic_mode=options.diagnostic))


def _reported(options: CommandLine, diagnostics: Diagnostics) -> str:
    """For ``show startup-logs``, whether it was printed or not."""
    if not len(diagnostics):
        return ""
    from evener.cli.haproxy_report import text_of, with_conclusions

    return text_of(with_conclusions(diagnostics, diagnostic_mode=options.diagnostic))


def _conclude(configuration: Configuration, options: CommandLine, diagnostics: Diagnostics) -> int:
    """The configuration has no error: judge its warnings, then check or run."""
    from evener.text.diagnostic import Severity

    warnings = diagnostics.count(Severity.WARNING)
    strict = options.zero_warning or configuration.global_.zero_warning
    if warnings and strict:
        what = "Some warnings were found and 'zero-warning' is set. Aborting."
        diagnostics.alert("zero-warning", what)
        return _refused(options, diagnostics)
    _report(options, diagnostics)
    if options.dump_objects:
        from evener.cli.haproxy_texts import loaded_objects

        _say(loaded_objects())
    if not options.check:
        return _run(
            configuration, replace(options, reported=_reported(options, diagnostics), warnings=warnings)
        )
    advice = options.diagnostic and diagnostics.count(Severity.DIAG)
    if options.speaks and (warnings or advice):
        _say("Warnings were found.\n")
    if not _listens(configuration):
        text = "Configuration file has no error but will not start (no listener) => exit(2).\n"
        if options.speaks:
            _say(text)
        return 2
    if options.verbose:
        _say("Configuration file is valid\n")
    return 0


def _listens(configuration: Configuration) -> bool:
    """Whether there is anything to check but settings: a proxy, or a section with listeners of its own.

    The manual wants a listener; the original does not look for one, and test suites rely on that.
    """
    if configuration.proxies:
        return True
    words = {line[0] for section in configuration.other for line in section.lines if line}
    return not words.isdisjoint({"bind", "dgram-bind", "peer"})


def _run(configuration: Configuration, options: CommandLine) -> int:
    from evener.cli.haproxy_run import run
    from evener.host.procname import set_process_name

    set_process_name("haproxy")
    if options.verbose or options.debug:
        from evener.cli.haproxy_texts import found_at_start
        from evener.text.render import write

        write(2, found_at_start())
        _say("Using epoll() as the polling mechanism.\n")
    return run(configuration, options)


if __name__ == "__main__":
    sys.exit(main())
