# SPDX-License-Identifier: MIT
"""Mutants that no program can hold beside the original: each is compiled alone."""
import os
import re
import shutil

import judging
from judging import ROOT, ask, run


class Judge:
    """Compiles the tests that are likely to notice a mutant, file by file, until one does."""

    MOST = 4  # Files of tests that are compiled for one mutant.

    def __init__(self, program, scratch):
        self.program = program
        self.include = f"{scratch}/alone"
        self.scratch = scratch
        self.header = f"{scratch}/catch.hpp"
        self.ready = False

    def prepare(self):
        shutil.copytree(f"{ROOT}/include", self.include, dirs_exist_ok=True)
        shutil.copy(f"{judging.HERE}/fusebox_mutation.hpp", self.include)
        with open(self.header, "w", encoding="utf-8") as file:
            file.write('#include "support/catch.hpp"\n#include <memory>\n#include <chrono>\n'
                       '#include <functional>\n#include <condition_variable>\n#include <thread>\n')
        self.compile(self.header, self.header + ".gch", "-x", "c++-header")
        self.main = f"{self.scratch}/alone-main.o"
        self.compile(f"{judging.HERE}/tests.cpp", self.main, "-c", "-DFUSEBOX_MUTANTS=0")
        self.compile(f"{ROOT}/tests/support/allocations.cpp", f"{self.scratch}/alone-allocations.o",
                     "-c")
        self.ready = True

    def compile(self, source, target, *more):
        return run([judging.COMPILER, *judging.FLAGS, f"-I{self.include}", f"-I{ROOT}/tests", *more,
                    source, "-o", target])

    def files(self, mutant):
        """Files of tests, the likeliest to notice first."""
        stem = os.path.splitext(os.path.basename(mutant.file))[0]
        weights = {}
        for other in self.program.mutants:
            if other.file != mutant.file or other.form == "text":
                continue
            near = 20 if abs(other.line - mutant.line) <= 6 else 1
            for test in self.program.reached_by.get(other.number, ()):
                weights[test.source] = weights.get(test.source, 0) + near
        everything = [source for _, sources in self.program.units for source in sources
                      if source.endswith("_test.cpp")]
        with open(f"{ROOT}/include/{mutant.file}", encoding="utf-8") as file:
            names = set(re.findall(r"\bk[A-Z]\w+|\w+(?=<)", file.read().split("\n")[mutant.line - 1]))

        def weight(source):
            base = os.path.basename(source)
            with open(f"{ROOT}/tests/{source}", encoding="utf-8") as file:
                text = file.read()
            return (base.startswith(stem), any(name in text for name in names),
                    weights.get(base, 0), f"{stem}.hpp" in text)

        return sorted(everything, key=weight, reverse=True)[:self.MOST]

    def judge(self, mutant):
        if not self.ready:
            self.prepare()
        path = f"{self.include}/{mutant.file}"
        with open(f"{ROOT}/include/{mutant.file}", encoding="utf-8") as file:
            original = file.read()
        with open(path, "w", encoding="utf-8") as file:
            file.write(original[:mutant.start] + mutant.text + original[mutant.end:])
        try:
            return self.changed(mutant)
        finally:
            with open(path, "w", encoding="utf-8") as file:
                file.write(original)

    def changed(self, mutant):
        for source in self.files(mutant):
            target = f"{self.scratch}/alone-test"
            done = self.compile(f"{ROOT}/tests/{source}", target + ".o", "-c", "-include", self.header)
            if done.returncode != 0:
                # A static_assert of the tests notices as any other assertion does.
                assertion = re.search(r"/tests/\S+: error: static assertion failed", done.stdout)
                return "killed" if assertion else "not compiled"
            done = run([judging.COMPILER, "-pthread", "-fuse-ld=gold", "-o", target, target + ".o",
                        self.main, f"{self.scratch}/alone-allocations.o"])
            if done.returncode != 0:
                return "not compiled"
            outcome = ask([target, "--abort"], 30, {})
            if outcome != "survived":
                return outcome
        return "survived"
