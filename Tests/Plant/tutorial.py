"""Runs the commands of docs/policies.md and holds their output to what stands there. `--write` puts it there."""
import re
import shutil
import subprocess
import sys
from pathlib import Path

from plant import REPOSITORY, SANITIZERS, Plant, equal, holds, main, wait

PAGE = REPOSITORY / "docs" / "policies.md"


def masked(text):
    """What differs from run to run: digests, ids, times (at night an example is of now), and where the key lies."""
    text = re.sub(r"\b[0-9a-f]{64}\b", "D" * 64, text)
    text = re.sub(r"\b[0-9a-f]{16}\b", "d" * 16, text)
    text = re.sub(r"\b20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "T", text)
    # How many there are grows with what is shipped, and rules move in their files.
    text = re.sub(r"\d+(?= (cases|rules|roles|operations|files|ways|entries|decisions|of)\b)", "N", text)
    text = re.sub(r"(?<=N of )\d+|\d+\.\d(?= %)|(?<=yaml:)\d+", "N", text)
    return re.sub(r"\d+(?= stay)", "N", text)


def steps(text):
    """Each console block as (start, end, [(command, output)])."""
    for block in re.finditer(r"```console\n(.*?)```", text, re.S):
        commands, lines = [], block[1].split("\n")[:-1]
        index = 0
        while index < len(lines):
            holds(lines[index].startswith("$ "), lines[index])
            command = [lines[index][2:]]
            index += 1
            if "<<'END'" in command[0]:
                while command[-1] != "END":
                    command.append(lines[index])
                    index += 1
            output = []
            while index < len(lines) and not lines[index].startswith("$ "):
                output.append(lines[index])
                index += 1
            commands.append(("\n".join(command), "\n".join(output)))
        yield block.start(), block.end(), commands


def prepare(plant):
    """A directory as somebody has it who has just built the gateway; and a gateway for the last steps."""
    gateway = plant.gateway("tutorial", start=False)
    home = gateway.directory
    shutil.copytree(plant.directory / "certs", home / "certs")
    (home / "deploy").mkdir()
    shutil.copy(REPOSITORY / "deploy" / "millgate.yaml", home / "deploy" / "millgate.yaml")
    return home


def serve(plant, home):
    """The gateway of the page, on ports of its own, with one confirmation in its log."""
    config = (home / "deploy" / "millgate.yaml").read_text()
    for old, new in [('":8080"', '"127.0.0.1:0"'), ('":8443"', '"127.0.0.1:0"'), ("127.0.0.1:9090", "127.0.0.1:0")]:
        holds(old in config, old)
        config = config.replace(old, new)
    (home / "serve.yaml").write_text(config)
    gateway = plant.gateways[-1]
    gateway.write = lambda: (home / "millgate.yaml").write_text(config)
    gateway.start()
    answer = gateway.request("GET", "/v1/production-orders?site=plant-1&state=released", token="mes")
    order = max(answer.json["items"], key=lambda one: one["quantity_remaining"])
    confirmed = gateway.request("POST", f"/v1/production-orders/{order['id']}/confirm", {"quantity": 1},
                                token="operator", fields={"Idempotency-Key": "tutorial"})
    equal(confirmed.status, 200, repr(confirmed))
    return gateway


def check_the_tutorial_shows_what_the_commands_say(plant, write=False):
    text = PAGE.read_text()
    home = prepare(plant)
    path = home / "bin"
    path.mkdir()
    (path / "millgate").symlink_to(plant.millgate)
    marker = text.index("<!-- the gateway runs from here on -->")
    gateway, result, last, wrong = None, [], 0, []
    for start, end, commands in steps(text):
        if start > marker and gateway is None:
            # The log is that of the policies before the change.
            shutil.move(home / "policies", home / "after")
            shutil.copytree(home / "before", home / "policies")
            gateway = serve(plant, home)
            shutil.rmtree(home / "policies")
            shutil.move(home / "after", home / "policies")
            wait(20, lambda: len(gateway.admin("/readyz").json["policy"]) == 64, "readiness")
            first = gateway.admin("/readyz").json["generation"]
            wait(30, lambda: gateway.admin("/readyz").json["generation"] > first, "the change is taken up")
        shown = []
        for command, output in commands:
            run = command.replace("127.0.0.1:8080", f"127.0.0.1:{gateway.ports['plain']}") if gateway else command
            done = subprocess.run(["bash", "-c", run], cwd=home, capture_output=True, text=True,
                                  env={"PATH": f"{path}:/usr/bin:/bin", "HOME": str(home), **SANITIZERS})
            got = (done.stdout + done.stderr).rstrip("\n")
            if masked(got) != masked(output):
                wrong.append(f"$ {command}\n--- stands there\n{output}\n--- is said\n{got}")
            shown.append(f"$ {command}" + (f"\n{got}" if got else ""))
        result += [text[last:start], "```console\n", "\n".join(shown), "\n```"]
        last = end
    if write:
        PAGE.write_text("".join(result) + text[last:])
        return
    holds(not wrong, "\n\n".join(wrong))


if __name__ == "__main__":
    if "--write" in sys.argv:
        import tempfile
        from plant import program
        with tempfile.TemporaryDirectory() as directory:
            plant = Plant(program(), directory)
            try:
                check_the_tutorial_shows_what_the_commands_say(plant, write=True)
            finally:
                plant.close()
    else:
        main(globals())
