# SPDX-License-Identifier: MIT
"""Builds the tests with mutants in, and asks them about each."""
import collections
import glob
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
# As in tests/CMakeLists.txt: most of the time goes into breakers of the same few types.
TOGETHER = 12
ALONE = {"breaker/allocation_test.cpp", "breaker/saved_state_test.cpp"}


def run(command, **more):
    return subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=False, **more)


def units_of(rooms):
    """(name, [sources]) of each thing to compile: a dozen files of a room, or one."""
    units = [("headers", []), ("support/allocations.cpp", ["support/allocations.cpp"])]
    for room in rooms:
        sources = [os.path.relpath(path, f"{ROOT}/tests")
                   for path in sorted(glob.glob(f"{ROOT}/tests/{room}/*_test.cpp"))]
        if room not in ("breaker", "registry"):
            units += [(source, [source]) for source in sources]
            continue
        units += [(source, [source]) for source in sources if source in ALONE]
        rest = [source for source in sources if source not in ALONE]
        for begin in range(0, len(rest), TOGETHER):
            units.append((f"{room}/{begin}", rest[begin:begin + TOGETHER]))
    return units


class Program:
    """The unit tests, with as many mutants as can be held at once."""

    def __init__(self, scratch, mutants, rooms=None, say=print):
        self.scratch, self.say = scratch, say
        self.mutants = mutants
        self.include = f"{scratch}/include"
        self.objects = f"{scratch}/objects"
        self.binary = f"{scratch}/tests"
        self.units = units_of(rooms or ROOMS)
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

    def compile_unit(self, unit):
        name, sources = unit
        together = f"{self.objects}/{name.replace('/', '-')}.cpp"
        with open(together, "w", encoding="utf-8") as file:
            file.writelines(f'#include "{ROOT}/tests/{source}"\n' for source in sources)
        return self.compile(together, together + ".o", "-c", "-include", f"{self.scratch}/pch.hpp")

    def blame(self, output):
        """Takes out the mutants that the compiler complains about; whether there were any."""
        owners, orphans = schemata.blamed(output, self.include, self.lines)
        if os.environ.get("DBG"):
            open("/tmp/blame.txt","w").write(output)
            for m,o in owners.items(): self.say(o,m.number,m.file,m.line,m.form,m.change,m in self.does_not_compile)
        for mutant, own in owners.items():
            if own:
                self.does_not_compile.add(mutant)
            else:
                mutant.form = "text"
        if not owners:
            self.say("\n".join(orphans[:5]) or output[:3000])
            raise SystemExit("mutation: the instrumented headers do not compile")
        self.say(f"  {len(owners)} mutants cannot be held by one program or do not compile")
        self.write()

    def build(self):
        self.write()
        self.say(f"compiling {len(self.mutants)} mutants into one program")
        while True:
            done = self.precompile()
            if done.returncode == 0:
                break
            self.blame(done.stdout)
        left = list(self.units)
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
            left = failed
            if failed:
                self.say(f"  {len(failed)} of {len(self.units)} units do not compile")
                self.blame("\n".join(output))
                while (done := self.precompile()).returncode != 0:
                    self.blame(done.stdout)
        done = self.compile(f"{HERE}/tests.cpp", f"{self.objects}/main.o", "-c",
                            f"-DFUSEBOX_MUTANTS={len(self.mutants)}")
        if done.returncode == 0:
            done = run([COMPILER, "-pthread", "-fuse-ld=gold", "-o", self.binary,
                        *glob.glob(f"{self.objects}/*.o")])
        if done.returncode != 0:
            raise SystemExit(done.stdout)

    # -- running ------------------------------------------------------------------------------

    def look(self):
        """Runs everything without a mutant: what each test takes and which mutants it meets."""
        notes = f"{self.scratch}/reached"
        done = subprocess.run([self.binary], env={**os.environ, "FUSEBOX_REACHED": notes},
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              check=False)
        if done.returncode != 0:
            raise SystemExit(done.stdout[-4000:] + "\nmutation: the tests fail without a mutant")
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
        self.say(f"{len(self.tests)} tests pass without a mutant, "
                 f"{sum(t.took for t in self.tests):.1f} s")

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
                       key=lambda t: (not t.source.startswith(stem), t.took))
        begin = 0
        for most in (0.1, 0.6, 3.0, 1e9):
            took, end = 0.0, begin
            while end < len(tests) and (end == begin or took + tests[end].took <= most):
                took += tests[end].took
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
            if outcome != "survived":
                return outcome
        return "survived" if met else "unmet"

    def ask(self, mutant, tests, took):
        names = f"{self.scratch}/names"
        with open(names, "w", encoding="utf-8") as file:
            for test in tests:
                name = test.name.replace("\\", "\\\\").replace('"', '\\"')
                file.write(f'"{name}"\n')
        return ask([self.binary, "--abort", "-f", names], 3 * took + 4,
                   {"FUSEBOX_MUTANT": str(mutant.number)})


Test = collections.namedtuple("Test", "name source took")


class Everything:
    """Met before main begins: by every test."""

    def __init__(self, tests):
        self.tests = tests

    def append(self, test):
        pass

    def __iter__(self):
        return iter(self.tests)


def ask(command, seconds, environment):
    """Runs tests; 'hung' after so many seconds, of which those in which all sleeps do not count."""

    def limit():
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))
        resource.setrlimit(resource.RLIMIT_CPU, (int(2 * seconds) + 1, int(2 * seconds) + 2))

    child = subprocess.Popen(command, env={**os.environ, **environment}, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
                             start_new_session=True, preexec_fn=limit)
    # Counted in naps, not read from a clock: a machine that was stopped must not look like a hang.
    waited, nap = 0.0, 0.002
    while child.poll() is None and waited < seconds:
        time.sleep(nap)
        waited += nap
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
