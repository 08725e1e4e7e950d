"""Plants known defects, one at a time, and tells which of them the tests notice.

    .ci/mutate planted            all of .ci/planted-defects
    .ci/mutate planted NAME ...   only these
    .ci/mutate planted --list     their names and what they do wrong
    .ci/mutate planted --fit      fails when one does not fit the code any more; builds nothing
    .ci/mutate planted --by simulation [--seeds N] [--alone] [NAME ...]
                                  what the simulation finds of them by itself: planted_simulation.py

Sessions and Endpoints wait for kernels, peers and clocks: to change each of their operators would
cost a day. So their mutants are chosen: defects that were found, or that reviewers asked about.

Each is planted in a copy of the library and its tests, kept in .build-planted, which is then built
anew as far as it has to be; only the suites that are to notice it are run. It is killed when they
fail, trap, or do not come to an end. The first build takes minutes, each defect then 5 to 15
seconds, all a quarter of an hour, so this is no step of .ci/run. The suites that need the other
products (an echo-demo behind a firewall, say) cannot be named. Fails when a defect survives, does
not compile, or does not fit the code any more.
"""
import os
import pathlib
import re
import resource
import signal
import subprocess
import sys

# The longest that suites which pass may take: those in question need a few seconds.
SECONDS = 90

MANIFEST = """// swift-tools-version: 6.2
import PackageDescription
let package = Package(name: "Mutants", targets: [
    .systemLibrary(name: "CEpollShim", path: "CEpollShim"),
    .target(
        name: "Tron", dependencies: ["CEpollShim"],
        swiftSettings: [.strictMemorySafety(), .enableExperimentalFeature("Lifetimes")]),
    .testTarget(name: "TronTests", dependencies: ["Tron"], resources: [.copy("Wire/vectors.json")]),
], swiftLanguageModes: [.v6])
"""
# Tests of other products are left out, since these are not built; those of the examples whole.
FOREIGN = re.compile(r"^(@testable )?import (TronMetrics|TronTestKit|echo_demo)$", re.MULTILINE)


class Defect:
    def __init__(self, block):
        head, self.file, self.suites, *lines = block.rstrip().split("\n")
        self.name, self.text = head.split(": ", 1)
        # What was there and what takes its place, one pair for each place.
        self.changes = [self.change(hunk) for hunk in "\n".join(lines).split("\n@@\n")]

    @staticmethod
    def change(hunk):
        lines = hunk.split("\n")
        return tuple("".join(line[1:] + "\n" for line in lines if line[:1] in kinds)
                     for kinds in ((" ", "-"), (" ", "+")))

    def planted(self, code):
        """The code with the defect, or None where it does not fit."""
        for old, new in self.changes:
            # A whole line's beginning is part of what has to be there once.
            if ("\n" + code).count("\n" + old) != 1:
                return None
            code = ("\n" + code).replace("\n" + old, "\n" + new)[1:]
        return code


def defects(root):
    text = (root / ".ci" / "planted-defects").read_text()
    return [Defect(block) for block in re.split(r"^== ", text, flags=re.MULTILINE)[1:]]


def write(path, text):
    """Leaves the file's date alone where nothing changes, so that it is not built anew."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


def copy(root, package):
    wanted = {package / "Package.swift": MANIFEST}
    sources = [*root.glob("CEpollShim/*"), *root.glob("Sources/Tron/**/*.swift"),
               *(path for path in root.glob("Tests/TronTests/**/*.swift")
                 if "Examples" not in path.parts),
               *root.glob("Tests/TronTests/**/*.json")]
    for path in sources:
        text = path.read_text()
        if not FOREIGN.search(text):
            wanted[package / path.relative_to(root)] = text
    for path in [*package.glob("Sources/**/*.swift"), *package.glob("Tests/**/*.swift")]:
        if path not in wanted:
            path.unlink()
    for path, text in wanted.items():
        write(path, text)


def build(package):
    """What the compiler has to say against it."""
    result = subprocess.run(["swift", "build", "--build-tests"], cwd=package,
                            capture_output=True, text=True)
    return None if result.returncode == 0 else (result.stdout + result.stderr)[-4000:]


def limit_cores():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def run(package, suites):
    """How the suites end: with the number of tests that passed, or 0."""
    program = next(package.glob(".build/debug/*.xctest"))
    command = [program, "--testing-library", "swift-testing", "--filter", suites]
    environment = dict(os.environ, TRON_SEED="1", SWIFT_BACKTRACE="enable=no")
    process = subprocess.Popen(command, cwd=package, env=environment, preexec_fn=limit_cores,
                               start_new_session=True, text=True, errors="replace",
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        output, _ = process.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        # With the programs that the tests have started.
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return 0
    passed = re.search(r"Test run with (\d+) tests? .*passed", output)
    return int(passed.group(1)) if process.returncode == 0 and passed else 0


def judge(package, root, defect):
    """One word on what became of it."""
    path = pathlib.Path("Sources/Tron") / defect.file
    sound = (root / path).read_text()
    code = defect.planted(sound)
    if code is None:
        return "DOES NOT FIT"
    write(package / path, code)
    try:
        complaint = build(package)
        if complaint:
            print(complaint)
            return "DOES NOT COMPILE"
        return "SURVIVED" if run(package, defect.suites) else "killed"
    finally:
        write(package / path, sound)


def require_soundness(package, chosen):
    """Without a defect each suite has tests, and passes: or all defects would seem killed."""
    complaint = build(package)
    if complaint:
        sys.exit(complaint)
    for suite in sorted({suite for defect in chosen for suite in defect.suites.split("|")}):
        if not run(package, rf"\.{suite}/"):
            sys.exit(f"mutate: {suite} does not pass without a defect, or has no test")


def main(root, package, names):
    known = defects(root)
    if names[:2] == ["--by", "simulation"]:
        import planted_simulation
        return planted_simulation.main(
            root, package.with_name(package.name + "-simulation"), names[2:], known, write,
            limit_cores)
    if names == ["--list"]:
        sys.exit(print("\n".join(f"{defect.name}: {defect.text}" for defect in known)))
    if names == ["--fit"]:
        misfits = [defect.name for defect in known
                   if defect.planted((root / "Sources/Tron" / defect.file).read_text()) is None]
        sys.exit(f"mutate: {', '.join(misfits)} do not fit the code" if misfits else 0)
    unknown = set(names) - {defect.name for defect in known}
    if unknown:
        sys.exit(f"mutate: no defect is called {', '.join(sorted(unknown))}")
    chosen = [defect for defect in known if not names or defect.name in names]
    copy(root, package)
    require_soundness(package, chosen)
    killed = 0
    for defect in chosen:
        word = judge(package, root, defect)
        killed += word == "killed"
        print(f"{word} {defect.name}: {defect.text}", flush=True)
    print(f"planted: {killed} of {len(chosen)} killed")
    sys.exit(0 if killed == len(chosen) else "mutate: not all planted defects were noticed")
