"""Plants known defects and tells which of them the simulation finds by itself.

    .ci/mutate planted --by simulation [--seeds N] [--alone] [NAME ...]

All are planted at once in a copy of the library, kept in .build-planted-simulation with the
simulation and built optimised; the environment chooses which one is active, so that each costs no
build of its own. What cannot be chosen so (it changes a declaration or a pattern, or what the
compiler copies into other modules) is left out, and named; with --alone each of those has a build
of its own, of a minute or two. Each is run for N seeds (5,000 unless said otherwise), the same ones
for each. Found are those for which a run fails, the process ends or never comes back; of each it
says after how many seeds, and how it showed. Fails when one survives of which .ci/planted-survivors
does not say why the simulation cannot see it, or will not.
"""
import os
import re
import signal
import subprocess
import sys

# The longest that the seeds of a sound library may take.
SECONDS = 300
FIRST = 1_000_000

MANIFEST = """// swift-tools-version: 6.2
import PackageDescription
let package = Package(name: "Mutants", targets: [
    .systemLibrary(name: "CEpollShim", path: "CEpollShim"),
    .target(
        name: "Tron", dependencies: ["CEpollShim"],
        swiftSettings: [.enableExperimentalFeature("Lifetimes")]),
    .target(name: "TronTestKit", dependencies: ["Tron"]),
    .testTarget(name: "SimulationTests", dependencies: ["Tron", "TronTestKit"]),
], swiftLanguageModes: [.v6])
"""

CHOICE = """// Which of the planted defects is active, by its number.
internal import CEpollShim
import Glibc

let activeDefect = getenv("TRON_DEFECT").flatMap { Int(String(cString: $0)) } ?? 0
"""

FLAGS = ["-c", "release", "--disable-xctest",
         "-Xswiftc", "-enable-testing", "-Xswiftc", "-assert-config", "-Xswiftc", "Debug"]


def choose(number, old, new):
    """Lines that are the old ones, or the new ones where the defect is active."""
    active = f"activeDefect == {number}"
    if len(old) == 1 and len(new) == 1:
        pair = choose_within(active, old[0], new[0])
        if pair:
            return [pair]
    condition = choose_condition(active, old[0], None) if len(old) == 1 and not new else None
    if condition:
        return [condition]
    if not new:
        return [f"if activeDefect != {number} {{", *old, "}"]
    if not old:
        return [f"if {active} {{", *new, "}"]
    return [f"if {active} {{", *new, "} else {", *old, "}"]


def choose_condition(active, old, new):
    """A line that is one of several conditions; `new` is None where it is left out."""
    pattern = r"(\s+)(&& |\|\| |)(.+?)(,?)"
    before = re.fullmatch(pattern, old)
    if not before[2] and not before[4] or re.search(r"\b(let|case|guard|if|while) ", old):
        return None
    if new is None:
        other = "false" if before[2] == "|| " else "true"
    else:
        after = re.fullmatch(pattern, new)
        if (after[2], after[4]) != (before[2], before[4]):
            return None
        other = after[3]
    return f"{before[1]}{before[2]}({active} ? ({other}) : ({before[3]})){before[4]}"


def choose_within(active, old, new):
    condition = choose_condition(active, old, new)
    if condition:
        return condition
    for pattern in (r"(\s*(?:guard|if|while|for _ in) )(.*?)( else \{.*| \{.*)",
                    r"(.*?: Bool \{ )(.*)( \})"):
        before, after = re.fullmatch(pattern, old), re.fullmatch(pattern, new)
        if before and after and before[1] == after[1] and before[3] == after[3]:
            if "let " in before[2] or "case " in before[2]:
                return None
            both = [match[2].replace(", ", " && ") if "(" not in match[2] else match[2]
                    for match in (before, after)]
            return f"{before[1]}{active} ? ({both[1]}) : ({both[0]}){before[3]}"
    for pattern in (r"(\s*case [^:]*(?:\([^)]*\))?: )(.+)()", r"(\s*default: )(.+)()"):
        before, after = re.fullmatch(pattern, old), re.fullmatch(pattern, new)
        if before and after and before[1] == after[1]:
            return f"{before[1]}if {active} {{ {after[2]} }} else {{ {before[2]} }}"
    pattern = r"(\s*(?:let |var )?[\w.]+ (?:=|\+=|-=) )(.+)()"
    before, after = re.fullmatch(pattern, old), re.fullmatch(pattern, new)
    if before and after and before[1] == after[1]:
        return f"{before[1]}{active} ? ({after[2]}) : ({before[2]})"
    return None


def plant(number, hunk, code):
    """The code with one place of a defect that can be chosen; None where it cannot."""
    old, new = (text.split("\n")[:-1] for text in hunk)
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    lines = [*old[:head], *choose(number, old[head:len(old) - tail], new[head:len(new) - tail]),
             *old[len(old) - tail:]]
    if ("\n" + code).count("\n" + hunk[0]) != 1:
        return None
    return ("\n" + code).replace("\n" + hunk[0], "\n" + "\n".join(lines) + "\n")[1:]


def plant_all(root, chosen, refused):
    """The files with all defects that can be chosen at once; and those that others are in the way
    of."""
    files, hindered = {}, []
    for number, defect in chosen:
        if number in refused:
            continue
        path = "Sources/Tron/" + defect.file
        code = files.get(path) or (root / path).read_text()
        for hunk in defect.changes:
            code = code and plant(number, hunk, code)
        if code is None:
            hindered.append((number, defect))
        else:
            files[path] = code
    return files, hindered


def copy(root, package, files, write):
    wanted = {package / path.relative_to(root): path.read_text() for path in [
        *root.glob("CEpollShim/*"), *root.glob("Sources/Tron/**/*.swift"),
        *root.glob("Sources/TronTestKit/*.swift"), *root.glob("Tests/SimulationTests/*.swift")]}
    wanted |= {package / path: text for path, text in files.items()}
    wanted[package / "Package.swift"] = MANIFEST
    wanted[package / "Sources/Tron/ActiveDefect.swift"] = CHOICE
    for path in [*package.glob("Sources/**/*.swift"), *package.glob("Tests/**/*.swift")]:
        if path not in wanted:
            path.unlink()
    for path, text in wanted.items():
        write(path, text)


def check(package, step, files=()):
    """What the compiler has to say, for one of its steps. What it cannot parse hides all that stands
    in the same file, so that others would seem to be at fault."""
    command = {
        "parse": ["swiftc", "-parse", *(package / name for name in sorted(files))],
        "typecheck": ["swift", "build", "-j", "2", "--target", "Tron"],
        "build": ["swift", "build", "-j", "2", *FLAGS, "--build-tests"],
    }[step]
    result = subprocess.run(command, cwd=package, capture_output=True, text=True)
    return None if result.returncode == 0 else result.stdout + result.stderr


def culprits(package, complaint, files):
    """The defects whose lines the compiler refuses."""
    found = set()
    for path, line in set(re.findall(r"(/\S+\.swift):(\d+):\d+: error:", complaint)):
        name = str(os.path.relpath(path, package))
        lines = files.get(name, "").split("\n")[:int(line) + 2]
        # The last choice that begins before the error, or in the line behind it.
        numbers = [re.search(r"activeDefect [!=]= (\d+)", text) for text in lines]
        numbers = [int(match[1]) for match in numbers if match]
        if numbers:
            found.add(numbers[-1])
    return found


def run(package, number, seeds, limit_cores):
    """How it was found, and after how many seeds; None when it was not."""
    program = next(package.glob(".build/release/*.xctest"))
    environment = dict(os.environ, TRON_SEEDS=str(seeds), TRON_FIRST_SEED=str(FIRST),
                       TRON_DEFECT=str(number), TRON_FAILURES="1", SWIFT_BACKTRACE="enable=no")
    process = subprocess.Popen(
        [program, "--testing-library", "swift-testing", "--filter", "every promise"], cwd=package,
        env=environment, preexec_fn=limit_cores, start_new_session=True, text=True,
        errors="replace", stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        output, _ = process.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return "never comes back", 0
    failures = [(int(seed) - FIRST + 1, how) for seed, how in
                re.findall(r"simulation: seed (\d+) (failed: .*|crashed)", output)]
    if failures:
        after, how = min(failures)
        return how.removeprefix("failed: "), after
    # That something was met too seldom is no finding.
    return ("the process ends", seeds) if process.returncode < 0 else None


def reasons(root):
    """Why the simulation does not find a defect, by its name."""
    text = (root / ".ci" / "planted-survivors").read_text()
    text = "\n".join(line for line in text.split("\n") if not line.startswith("#"))
    pairs = re.findall(r"^([\w-]+): (.*(?:\n .*)*)", text, flags=re.MULTILINE)
    return {name: " ".join(reason.split()) for name, reason in pairs}


def judge_alone(root, package, defect, seeds, write, limit_cores):
    """What becomes of one that has a build of its own."""
    path = "Sources/Tron/" + defect.file
    copy(root, package, {path: defect.planted((root / path).read_text())}, write)
    complaint = check(package, "build")
    if complaint:
        sys.exit(complaint[-4000:])
    return run(package, 0, seeds, limit_cores)


def main(root, package, arguments, known, write, limit_cores):
    seeds = 5000
    is_alone = "--alone" in arguments
    arguments = [argument for argument in arguments if argument != "--alone"]
    if "--seeds" in arguments:
        place = arguments.index("--seeds")
        seeds = int(arguments[place + 1])
        arguments = arguments[:place] + arguments[place + 2:]
    unknown = set(arguments) - {defect.name for defect in known}
    if unknown:
        sys.exit(f"mutate: no defect is called {', '.join(sorted(unknown))}")
    chosen = [(number, defect) for number, defect in enumerate(known, 1)
              if not arguments or defect.name in arguments]
    print(f"the simulation's findings in {seeds} seeds each", flush=True)
    found, judged, refused, left = 0, 0, set(), chosen
    why, unexplained = reasons(root), []

    def tell(defect, finding):
        nonlocal found, judged
        found, judged = found + (finding is not None), judged + 1
        word = f"found after {finding[1]} ({finding[0]})" if finding else "SURVIVED"
        print(f"{word} | {defect.name}: {defect.text}", flush=True)
        if finding is None:
            print(f"    {why.get(defect.name, 'nobody knows why')}", flush=True)
            if defect.name not in why:
                unexplained.append(defect.name)

    while left:
        before = len(left)
        hindered = build(root, package, left, refused, write)
        sound = run(package, 0, seeds, limit_cores)
        if sound:
            sys.exit(f"mutate: the simulation fails without a defect: {sound[0]}")
        for number, defect in left:
            if number in refused or (number, defect) in hindered:
                continue
            tell(defect, run(package, number, seeds, limit_cores))
        left = hindered if len(hindered) < before else []
    for number, defect in chosen:
        if not (number in refused or (number, defect) in left):
            continue
        if is_alone:
            tell(defect, judge_alone(root, package, defect, seeds, write, limit_cores))
        else:
            print(f"left out | {defect.name}", flush=True)
    print(f"planted: {found} of {judged} found, {len(chosen) - judged} left out")
    sys.exit(f"mutate: {', '.join(unexplained)} survive, and nobody knows why"
             if unexplained else 0)


def build(root, package, chosen, refused, write):
    """Builds all that can be built at once: adds to those that the compiler refuses, and returns
    those that have to wait for another build."""
    for step in ("parse", "typecheck", "build"):
        while True:
            files, hindered = plant_all(root, chosen, refused)
            copy(root, package, files, write)
            complaint = check(package, step, files)
            if complaint is None:
                break
            more = culprits(package, complaint, files) - refused
            if not more:
                sys.exit(complaint[-4000:])
            refused |= more
    return hindered
