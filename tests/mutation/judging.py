# SPDX-License-Identifier: MIT
"""Builds the tests with mutants in, and asks them about each."""
import collections
import glob
import hashlib
import os
import re
import resource
import signal
import subprocess
import time

import schemata

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
ROOMS = ["vocabulary", "window", "policy", "breaker", "registry"]

COMPILER = os.environ.get("CXX", "g++")
FLAGS = ["-std=c++20", "-O0", "-g0", "-w", "-fmax-errors=0", "-pthread",
         "-DCATCH_CONFIG_ENABLE_ALL_STRINGMAKERS",
         # What lies outside a vector is noticed, as with a sanitizer.
         "-D_GLIBCXX_ASSERTIONS"]
# Most of the time goes into breakers of the same few types: as in tests/CMakeLists.txt, files are
# compiled together. Only a dozen: each mutant makes them longer.
TOGETHER = 12


def run(command, **more):
    return subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=False, **more)


def units_of(rooms):
    """(name, [sources]) of each thing to compile: a dozen files of a room."""
    units = [("headers", []), ("support/allocations.cpp", ["support/allocations.cpp"])]
    for room in rooms:
        sources = [os.path.relpath(path, f"{ROOT}/tests")
                   for path in sorted(glob.glob(f"{ROOT}/tests/{room}/*_test.cpp"))]
        for begin in range(0, len(sources), TOGETHER):
            units.append((f"{room}/{begin}", sources[begin:begin + TOGETHER]))
    return units


class Program:
    """The unit tests, with as many mutants as can be held at once."""

    def __init__(self, scratch, mutants, rooms=None, say=print, most=1e9):
        self.scratch, self.say, self.most = scratch, say, most
        self.mutants = mutants
        self.include = f"{scratch}/include"
        self.objects = f"{scratch}/objects"
        self.binary = f"{scratch}/tests"
        self.rooms = rooms or ROOMS
        self.units = units_of(self.rooms)
        os.makedirs(self.objects, exist_ok=True)
        for number, mutant in enumerate(mutants):
            mutant.number = number
        self.does_not_compile = set()

    # -- compiling ----------------------------------------------------------------------------

    def write(self):
        by_file = collections.defaultdict(list)
        for mutant in self.mutants:
            if mutant.form != "text" and mutant not in self.does_not_compile:
                by_file[mutant.file].append(mutant)
        self.lines = schemata.write_headers(f"{ROOT}/include", self.scratch, by_file)

    def compile(self, source, target, *more):
        return run([COMPILER, *FLAGS, f"-I{self.include}", f"-I{ROOT}/tests", *more, source, "-o",
                    target])

    def precompile(self):
        header = f"{self.scratch}/pch.hpp"
        with open(header, "w", encoding="utf-8") as file:
            file.write('#include "support/catch.hpp"\n#include <fusebox/fusebox.hpp>\n')
        return self.compile(header, header + ".gch", "-x", "c++-header")

    def object_of(self, unit):
        return f"{self.objects}/{unit[0].replace('/', '-')}.o"

    def compile_unit(self, unit):
        sources = unit[1]
        together = self.object_of(unit)[:-2] + ".cpp"
        with open(together, "w", encoding="utf-8") as file:
            file.writelines(f'#include "{ROOT}/tests/{source}"\n' for source in sources)
        return self.compile(together, self.object_of(unit), "-c", "-include", f"{self.scratch}/pch.hpp")

    def blame(self, output):
        """Takes out the mutants that the compiler complains about; whether there were any."""
        owners, orphans = schemata.blamed(output, self.include, self.lines)
        for mutant, own in owners.items():
            if own:
                self.does_not_compile.add(mutant)
            else:
                mutant.form = "text"
        if owners:
            self.say(f"  {len(owners)} mutants cannot be held by one program or do not compile")
            self.remember()
            self.write()
        return orphans if not owners else []

    def key(self):
        """What objects of an earlier run must have been compiled from."""
        digest = hashlib.sha256(" ".join([COMPILER, *FLAGS, *(m.id for m in self.mutants)]).encode())
        folders = [f"{ROOT}/include", *(f"{ROOT}/tests/{room}" for room in [*self.rooms, "support"])]
        for folder in folders:
            for path in sorted(glob.glob(f"{folder}/**/*.?pp", recursive=True)):
                with open(path, "rb") as file:
                    digest.update(file.read())
        return digest.hexdigest()

    def remember(self):
        """So that a run that was stopped while it compiled goes on with the same scratch."""
        with open(f"{self.scratch}/blamed", "w", encoding="utf-8") as file:
            file.write(self.key() + "\n")
            for mutant in self.mutants:
                if mutant in self.does_not_compile or mutant.form == "text":
                    file.write(f"{mutant.id} {mutant in self.does_not_compile:d}\n")

    def recall(self):
        if not os.path.exists(f"{self.scratch}/blamed"):
            return False
        with open(f"{self.scratch}/blamed", encoding="utf-8") as file:
            if file.readline().strip() != self.key():
                return False
            blamed = dict(line.split() for line in file)
        for mutant in self.mutants:
            if blamed.get(mutant.id) == "1":
                self.does_not_compile.add(mutant)
            elif mutant.id in blamed:
                mutant.form = "text"
        return True

    def precompiled(self):
        while (done := self.precompile()).returncode != 0:
            self.must_blame(done.stdout)

    def must_blame(self, output):
        for complaint in self.blame(output):
            raise SystemExit(f"{complaint}\nmutation: the instrumented headers do not compile")

    def build(self):
        self.say(f"compiling {len(self.mutants)} mutants into one program")
        left = list(self.units)
        self.recalled = self.recall()
        if self.recalled:
            left = [unit for unit in left if not os.path.exists(self.object_of(unit))]
        self.write()
        if left:
            self.precompiled()
        # Objects compiled before a mutant was taken out stay: it is never chosen.
        while left:
            failed, output = [], []
            for unit in left:
                done = self.compile_unit(unit)
                if done.returncode != 0:
                    failed.append(unit)
                    output.append(done.stdout)
                    if unit is self.units[0]:  # It has nothing but headers: all would fail so.
                        failed = list(left)
                        break
            if failed:
                self.say(f"  {len(failed)} of {len(self.units)} units do not compile")
                if complaints := self.blame("\n".join(output)):
                    # Files of tests that cannot be together.
                    if all(len(sources) < 2 for _, sources in failed):
                        raise SystemExit("\n".join(complaints[:3]))
                    self.units = [unit for unit in self.units if unit not in failed]
                    failed = [(source, [source]) for _, sources in failed for source in sources]
                    self.units += failed
                else:
                    self.precompiled()
            left = failed
        self.link()

    def link(self):
        main = f"{self.objects}/main.o"
        objects = [self.object_of(unit) for unit in self.units]
        objects = [o for o in objects if os.path.exists(o)] + [main]
        if self.recalled and os.path.exists(self.binary) and all(
                os.path.exists(o) and os.path.getmtime(o) <= os.path.getmtime(self.binary)
                for o in objects):
            return
        done = self.compile(f"{HERE}/tests.cpp", main, "-c", f"-DFUSEBOX_MUTANTS={len(self.mutants)}")
        if done.returncode == 0:
            done = run([COMPILER, "-pthread", "-fuse-ld=gold", "-o", self.binary, *objects])
        if done.returncode != 0:
            raise SystemExit(done.stdout)

    # -- running ------------------------------------------------------------------------------

    def look(self):
        """Runs everything without a mutant: what each test takes and which mutants it meets."""
        notes = f"{self.scratch}/reached"
        if not os.path.exists(notes) or os.path.getmtime(notes) < os.path.getmtime(self.binary):
            done = run([self.binary], env={**os.environ, "FUSEBOX_REACHED": notes + ".new"})
            if done.returncode != 0:
                raise SystemExit(done.stdout[-4000:] + "\nmutation: the tests fail without a mutant")
            os.replace(notes + ".new", notes)
        self.compiled = self.present()
        self.tests, self.reached_by = [], collections.defaultdict(list)
        with open(notes, encoding="utf-8") as file:
            for index, line in enumerate(file):
                name, source, took, numbers = line.rstrip("\n").split("\t")
                test = Test(name, os.path.basename(source), float(took))
                for number in map(int, numbers.split()):
                    if index:
                        self.reached_by[number].append(test)
                    else:
                        self.reached_by[number] = Everything(self.tests)
                if index:
                    self.tests.append(test)
        self.check_names()
        self.say(f"{len(self.tests)} tests pass without a mutant, "
                 f"{sum(t.took for t in self.tests):.1f} s")

    def check_names(self):
        """A name that chooses no test would let every mutant survive."""
        names = f"{self.scratch}/names"
        with open(names, "w", encoding="utf-8") as file:
            file.writelines(test.escaped for test in self.tests)
        listed = run([self.binary, "--list-test-names-only", "-f", names]).stdout.split("\n")
        missing = {test.name for test in self.tests} - {line.strip() for line in listed}
        if missing:
            raise SystemExit(f"mutation: cannot choose the tests {sorted(missing)}")

    def present(self):
        """The numbers of the mutants that are left after the preprocessor."""
        header = f"{self.scratch}/every.hpp"
        with open(header, "w", encoding="utf-8") as file:
            file.writelines(f'#include "{name}"\n' for name in sorted(self.lines))
        done = self.compile(header, f"{self.scratch}/every.ii", "-E", "-P", "-x", "c++")
        if done.returncode != 0:
            raise SystemExit(done.stdout)
        with open(f"{self.scratch}/every.ii", encoding="utf-8") as file:
            return set(map(int, re.findall(r"fusebox_mutation::(?:on|now)\((\d+)\)", file.read())))

    def groups(self, mutant):
        """The tests that meet a mutant, those that are likely to notice first."""
        stem = os.path.splitext(os.path.basename(mutant.file))[0]
        tests = sorted(self.reached_by.get(mutant.number, ()),
                       key=lambda t: t.took * (0.2 if t.source.startswith(stem) else 1))
        begin = 0
        total = 0.0
        for most in (0.1, 0.6, 3.0, 1e9):
            took, end = 0.0, begin
            while end < len(tests) and (end == begin or took + tests[end].took <= most) and (
                    total + tests[end].took <= self.most):
                took += tests[end].took
                total += tests[end].took
                end += 1
            if end > begin:
                yield tests[begin:end], took
            begin = end

    def judge(self, mutant):
        """'killed', 'hung', 'survived', 'unmet' if no test meets it, or 'absent' on this platform."""
        if mutant.number not in self.compiled:
            return "absent"
        met = False
        for tests, took in self.groups(mutant):
            met = True
            outcome = self.ask(mutant, tests, took)
            if outcome != "survived":  # Once more: a busy machine may have failed a test.
                outcome = self.ask(mutant, tests, took)
            if outcome != "survived":
                return outcome
        return "survived" if met else "unmet"

    def ask(self, mutant, tests, took):
        names = f"{self.scratch}/names-{mutant.number}"
        with open(names, "w", encoding="utf-8") as file:
            for test in tests:
                file.write(test.escaped)
        outcome = ask([self.binary, "--abort", "-f", names], 2 * took + 3,
                      {"FUSEBOX_MUTANT": str(mutant.number)})
        os.remove(names)
        return outcome


class Test(collections.namedtuple("Test", "name source took")):
    """A test case: its name, the name of its file, and the seconds that it takes."""

    @property
    def escaped(self):
        """As a line of Catch2's --input-file."""
        return '"' + re.sub(r'([\\,"\[\]])', r"\\\1", self.name) + '"\n'


class Everything:
    """Met before main begins: by every test."""

    def __init__(self, tests):
        self.tests = tests

    def append(self, test):
        pass

    def __iter__(self):
        return iter(self.tests)


def seconds_used(pid):
    """Of a processor, by a process; 0 if there is none."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def ask(command, seconds, environment):
    """Runs tests; 'hung' after so many seconds of a processor, or if it does nothing after them."""

    def limit():
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))
        resource.setrlimit(resource.RLIMIT_CPU, (int(2 * seconds) + 1, int(2 * seconds) + 2))

    child = subprocess.Popen(command, env={**os.environ, **environment}, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
                             start_new_session=True, preexec_fn=limit)
    # Counted in naps, not read from a clock: a machine that was stopped must not look like a hang;
    # nor must one that is busy, as long as the child gets on and has not had its time.
    waited, nap, used, resting = 0.0, 0.002, 0.0, 0.0
    while child.poll() is None and waited < 20 * seconds:
        time.sleep(nap)
        waited += nap
        before, used = used, seconds_used(child.pid)
        resting = resting + nap if used == before else 0.0
        if waited >= seconds and (used >= seconds or resting >= 2):
            break
        nap = min(0.05, nap * 1.5)
    hung = child.poll() is None
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    child.wait()
    if hung or child.returncode == -signal.SIGXCPU:
        return "hung"
    return "survived" if child.returncode == 0 else "killed"
