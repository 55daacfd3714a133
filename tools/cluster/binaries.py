"""What a node runs: Kubernetes, etcd, containerd and CoreDNS from the Go module proxy, the rest from Debian; built once."""

import json
import os
import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from tools.cluster.place import NoCluster
from tools.deploy.wheels import run
from tools.servers.install import apt
from tools.servers.places import cache, made_once

Say = Callable[[str], None]

KUBERNETES = "1.36.3"
COMPONENTS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy")
MODULES = {
    "etcd": ("go.etcd.io/etcd/server/v3", "3.6.5", [""]),
    "containerd": (
        "github.com/containerd/containerd/v2", "2.1.4", ["/cmd/containerd", "/cmd/containerd-shim-runc-v2", "/cmd/ctr"],
    ),
    "coredns": ("github.com/coredns/coredns", "1.15.0", []),
}  # fmt: skip
"""Name: module, version, commands in it. Each is built in a module of its own, as `go install` refuses replace lines."""
NAMES = """package main

import (
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/coremain"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/kubernetes"
)

func init() { dnsserver.Directives = []string{"errors", "kubernetes"} }

func main() { coremain.Run() }
"""
"""CoreDNS with the plugins that a cluster's names need; the whole of it would bring the clouds' libraries and take long."""
RENAMED = {"server": "etcd"}
PACKAGES = {
    "runc": "runc", "conntrack": "conntrack", "iptables": "iptables", "ip": "iproute2", "unshare": "util-linux",
    "/usr/lib/cni/ptp": "containernetworking-plugins",
}  # fmt: skip
"""Debian's, by the program that tells whether one is there."""
SBIN = "/usr/sbin:/sbin"
BUILD_S = 3_600


def path(folders: Sequence[Path]) -> str:
    """A PATH with these folders first."""
    return ":".join([*map(str, folders), os.environ.get("PATH", ""), SBIN])


def ready(say: Say) -> list[Path]:
    """Folders with every binary, each fetched or built on first use; raises NoCluster, NoServer or NotToBeHad."""
    missing = [package for program, package in PACKAGES.items() if not shutil.which(program, path=path([]))]
    if missing:
        apt(say, *missing)
    if not shutil.which("go") and not all(one.is_dir() for one in folders()):
        raise NoCluster("no Go to build Kubernetes with (https://go.dev/dl, or Debian's golang where it is new enough)")
    made = [made_once(folders()[0], lambda folder: _kubernetes(folder, say))]
    for name, folder in zip(MODULES, folders()[1:], strict=True):
        made.append(made_once(folder, lambda work, name=name: _module(work, name, say)))  # type: ignore[misc]
    return made


def folders() -> list[Path]:
    """Where binaries are kept between runs, by version."""
    versions = {"kubernetes": KUBERNETES, **{name: version for name, (_, version, _) in MODULES.items()}}
    return [cache() / "cluster" / f"{name}-{version}" for name, version in versions.items()]


def _kubernetes(folder: Path, say: Say) -> None:
    say(f"building Kubernetes {KUBERNETES} from its Go module (once, some minutes)")
    work = _go_module(folder)
    told = json.loads(run(["go", "mod", "download", "-json", f"k8s.io/kubernetes@v{KUBERNETES}"], cwd=work))
    (work / "go.mod").write_text(module_file(Path(told["GoMod"]).read_text()))
    imported = "".join(f'import _ "k8s.io/kubernetes/cmd/{name}"\n' for name in COMPONENTS)
    (work / "tools.go").write_text(f"//go:build tools\n\npackage tools\n\n{imported}")
    run(["go", "mod", "tidy"], BUILD_S, work)
    version = f"-X k8s.io/component-base/version.gitVersion=v{KUBERNETES}"
    _build(work, [f"k8s.io/kubernetes/cmd/{name}" for name in COMPONENTS], f"-s -w {version}", say)


def module_file(kubernetes: str) -> str:
    """A go.mod that requires Kubernetes; what its own go.mod takes from its tree comes as modules of the same release."""
    go = re.search(r"^go (.+)$", kubernetes, re.M)
    staged = re.findall(r"^\s*(\S+) => \./staging/", kubernetes, re.M)
    if go is None or not staged:
        raise NoCluster(f"Kubernetes {KUBERNETES} has another go.mod than expected")
    minor = KUBERNETES.partition(".")[2]
    replaced = "".join(f"\t{name} => {name} v0.{minor}\n" for name in staged)
    return f"module kubernetes\n\ngo {go[1]}\n\nrequire k8s.io/kubernetes v{KUBERNETES}\n\nreplace (\n{replaced})\n"


def _module(folder: Path, name: str, say: Say) -> None:
    module, version, commands = MODULES[name]
    say(f"building {name} {version} from its Go module (once)")
    work = _go_module(folder)
    (work / "go.mod").write_text(f"module {name}\n\ngo 1.25\n")
    run(["go", "get", f"{module}@v{version}"], BUILD_S, work)
    if not commands:
        (work / "main.go").write_text(NAMES)
        run(["go", "mod", "tidy"], BUILD_S, work)
    _build(work, [f"{module}{command}" for command in commands] or ["."], "-s -w", say)


def _go_module(folder: Path) -> Path:
    work = folder / "module"
    work.mkdir()
    return work


def _build(work: Path, packages: Sequence[str], flags: str, say: Say) -> None:
    """Into the folder above, then away with the module."""
    for number, package in enumerate(packages, 1):
        say(f"  {number} of {len(packages)}: {package}")
        settings = ["env", "CGO_ENABLED=0", "GOFLAGS=-mod=mod"]
        run([*settings, "go", "build", "-ldflags", flags, "-o", f"{work.parent}/", package], BUILD_S, work)
    shutil.rmtree(work)
    for old, new in RENAMED.items():
        if (work.parent / old).exists():
            (work.parent / old).rename(work.parent / new)
