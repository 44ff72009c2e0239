#!/usr/bin/env python3
"""Prints the shell script that a CI system would run for a job of an example, with what it takes from the action, the component
or the shared library beside it.

Usage: ci.py DIRECTORY FILE JOB

Expressions of the CI system become expansions of the shell; one that is not known here is an error.
"""
import pathlib
import re
import sys
import textwrap

import yaml

ACTION, COMPONENT, STEP = "./.github/actions/manifesto", "$CI_SERVER_FQDN/tools/manifesto/gate@1", "manifestoGate"
GITHUB = {"github.workspace": "$PWD", "inputs.image": "$IMAGE",
          "steps.gate.outputs.approved": '$(sed -n s/^approved=//p "$GITHUB_OUTPUT" | tail -n 1)'}


def quoted(text):
    return '"%s"' % text


def exports(variables):
    return ["export %s=%s" % pair for pair in variables.items()]


class GitHub:
    def __init__(self, directory):
        self.action = yaml.safe_load((directory / "action.yml").read_text(encoding="utf-8"))

    def expand(self, text, inputs):
        def value(match):
            name = match.group(1).strip()
            if name[len("inputs."):] in inputs:
                return inputs[name[len("inputs."):]]
            return GITHUB.get(name) or "$" + re.match(r"(?:vars|secrets)\.(\w+)$", name).group(1)
        return re.sub(r"\$\{\{(.*?)\}\}", value, text)

    def run(self, step, inputs):
        return exports({k: quoted(self.expand(v, inputs)) for k, v in step.get("env", {}).items()}) + [step["run"]]

    def used(self, given):
        inputs = {k: self.expand(given[k], {}) if k in given else v.get("default", "") for k, v in self.action["inputs"].items()}
        for step in self.action["runs"]["steps"]:
            if "run" in step:
                condition = re.match(r"inputs\.(\w+) != ''$", step["if"]).group(1)
                yield from ["if [ -n %s ]; then" % quoted(inputs[condition]), *self.run(step, inputs), "fi"]

    def script(self, document, job):
        for step in document["jobs"][job]["steps"]:
            if "run" in step:
                yield from self.run(step, {})
            elif step["uses"] == ACTION:
                yield from self.used(step.get("with", {}))


class GitLab:
    def __init__(self, directory):
        self.text = (directory / "templates/gate.yml").read_text(encoding="utf-8")

    def component(self, given):
        inputs = {k: given.get(k, (v or {}).get("default")) for k, v in next(yaml.safe_load_all(self.text))["spec"]["inputs"].items()}
        text = re.sub(r"\$\[\[ inputs\.(\w+) \]\]", lambda m: inputs[m.group(1)], self.text)
        return list(yaml.safe_load_all(text))[1]

    def script(self, document, job):
        include, = document["include"]
        assert include["component"] == COMPONENT
        jobs = {**document, **self.component(include["inputs"])}
        for name in jobs[job].get("needs", []) + [job]:
            assert jobs[name]["stage"] in document["stages"]
            yield from exports({k: quoted(v or "") for k, v in jobs[name].get("variables", {}).items()}) + jobs[name]["script"]


class Jenkins:
    def __init__(self, directory):
        self.step = (directory / "vars" / (STEP + ".groovy")).read_text(encoding="utf-8")

    def blocks(self, text):
        return [textwrap.dedent(block) for block in re.findall(r"sh '''\n(.*?)'''", text, re.S)]

    def used(self, call):
        given = dict(re.findall(r"(\w+): (?:params|env)\.(\w+)", call))
        environment = re.search(r"withEnv\(\[(.*?)\]\)", self.step, re.S).group(1)
        for name, value in re.findall(r'"(\w+)=([^"\n]*)"', environment):
            option = re.match(r"\$\{options\.(\w+)(?: \?: '([^']*)')?\}$", value)
            text = "$" + given[option.group(1)] if option and option.group(1) in given else option.group(2) if option else value
            yield "export %s=%s" % (name, quoted(text.replace("${env.WORKSPACE}", "$WORKSPACE")))
        yield from self.blocks(self.step)
        yield "export APPROVED=$(paste -s -d' ' approved.txt)"

    def script(self, text, job):
        stage = re.search(r"stage\('%s'\)(.*?)(?:stage\('|\Z)" % job.capitalize(), text, re.S).group(1)
        call = re.search(r"env\.APPROVED = %s (.*)" % STEP, stage)
        if call:
            yield from self.used(call.group(1))
        yield from self.blocks(stage)


def main():
    directory, name, job = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    text = (directory / name).read_text(encoding="utf-8")
    if name == "Jenkinsfile":
        lines = Jenkins(directory).script(text, job)
    else:
        system = GitHub if name.startswith("github") else GitLab
        lines = system(directory).script(yaml.safe_load(text), job)
    print("\n".join(lines))


if __name__ == "__main__":
    main()
