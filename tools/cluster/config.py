"""What each program of the node is told: flags and files. All of it is written anew for each cluster."""

import json
from pathlib import Path

import yaml

from tools.cluster.pki import PKI
from tools.cluster.place import (
    DNS_PORT,
    DNS_SERVICE,
    FOLDER,
    NODE,
    NODE_ADDRESS,
    NODE_PODS,
    PAUSE,
    PODS,
    SERVICES,
    kubeconfig,
    socket,
)

ETCD = "http://127.0.0.1:2379"
CNI = FOLDER / "cni"


def write() -> None:
    """Every file that a program reads."""
    CNI.mkdir()
    files = {
        CNI / "10-node.conflist": json.dumps(_network()),
        FOLDER / "containerd.toml": _containerd(),
        FOLDER / "kubelet.yaml": yaml.safe_dump(_kubelet()),
        FOLDER / "proxy.yaml": yaml.safe_dump(_proxy()),
        FOLDER / "Corefile": _dns(),
        FOLDER / "hosts": f"127.0.0.1 localhost\n{NODE_ADDRESS} {NODE}\n",
    }
    for path, text in files.items():
        path.write_text(text)


def commands() -> dict[str, list[str]]:
    """The programs in the order they are started in, by name."""
    return {
        "etcd": [
            "etcd", f"--data-dir={FOLDER / 'etcd'}", f"--listen-client-urls={ETCD}", f"--advertise-client-urls={ETCD}",
            "--listen-peer-urls=http://127.0.0.1:2380", "--unsafe-no-fsync", "--log-level=warn",
        ],
        "apiserver": _apiserver(),
        "controller-manager": _controllers(),
        "scheduler": ["kube-scheduler", f"--kubeconfig={kubeconfig('scheduler')}", "--leader-elect=false"],
        "containerd": ["containerd", "--config", str(FOLDER / "containerd.toml")],
        "coredns": ["coredns", "-conf", str(FOLDER / "Corefile")],
        "proxy": ["kube-proxy", f"--config={FOLDER / 'proxy.yaml'}"],
        "kubelet": [
            "kubelet", f"--config={FOLDER / 'kubelet.yaml'}", f"--kubeconfig={kubeconfig('kubelet')}",
            f"--hostname-override={NODE}", f"--node-ip={NODE_ADDRESS}", f"--root-dir={FOLDER / 'kubelet'}",
        ],
    }  # fmt: skip


def _apiserver() -> list[str]:
    return [
        "kube-apiserver", f"--etcd-servers={ETCD}", "--secure-port=6443", f"--advertise-address={NODE_ADDRESS}",
        f"--service-cluster-ip-range={SERVICES}", f"--client-ca-file={_pki('ca.crt')}",
        f"--tls-cert-file={_pki('apiserver.crt')}", f"--tls-private-key-file={_pki('apiserver.key')}",
        f"--service-account-key-file={_pki('accounts.pub')}",
        f"--service-account-signing-key-file={_pki('accounts.key')}",
        "--service-account-issuer=https://kubernetes.default.svc", "--authorization-mode=Node,RBAC",
        f"--kubelet-client-certificate={_pki('admin.crt')}", f"--kubelet-client-key={_pki('admin.key')}",
    ]  # fmt: skip


def _controllers() -> list[str]:
    return [
        "kube-controller-manager", f"--kubeconfig={kubeconfig('controller-manager')}", "--leader-elect=false",
        f"--cluster-cidr={PODS}", "--allocate-node-cidrs=true", f"--service-cluster-ip-range={SERVICES}",
        f"--root-ca-file={_pki('ca.crt')}", f"--service-account-private-key-file={_pki('accounts.key')}",
        "--use-service-account-credentials", f"--cluster-signing-cert-file={_pki('ca.crt')}",
        f"--cluster-signing-key-file={_pki('ca.key')}",
    ]  # fmt: skip


def _pki(name: str) -> Path:
    return PKI / name


def _network() -> dict[str, object]:
    """Every pod by a cable of its own, so that all traffic is routed and Services hold between pods of one node."""
    ranges = [[{"subnet": NODE_PODS}]]
    ipam = {"type": "host-local", "ranges": ranges, "routes": [{"dst": "0.0.0.0/0"}]}
    return {"cniVersion": "0.4.0", "name": NODE, "plugins": [
        {"type": "ptp", "ipMasq": True, "ipam": ipam},
        {"type": "portmap", "capabilities": {"portMappings": True}},
    ]}  # fmt: skip


def _containerd() -> str:
    """`restrict_oom_score_adj`: a container may lack the right to lower the score, and starts all the same."""
    return f"""version = 3
root = '{FOLDER / "containerd"}'
state = '/run/containerd'
[grpc]
address = '{socket()}'
[plugins.'io.containerd.cri.v1.images'.pinned_images]
sandbox = '{PAUSE}'
[plugins.'io.containerd.cri.v1.runtime']
restrict_oom_score_adj = true
[plugins.'io.containerd.cri.v1.runtime'.cni]
bin_dirs = ['/usr/lib/cni']
conf_dir = '{CNI}'
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
runtime_type = 'io.containerd.runc.v2'
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
SystemdCgroup = false
"""


def _kubelet() -> dict[str, object]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration",
        "failCgroupV1": False, "cgroupDriver": "cgroupfs", "failSwapOn": False,
        "authentication": {
            "anonymous": {"enabled": False}, "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(_pki("ca.crt"))},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": str(_pki("kubelet.crt")), "tlsPrivateKeyFile": str(_pki("kubelet.key")),
        "clusterDNS": [DNS_SERVICE], "clusterDomain": "cluster.local", "resolvConf": "",
        "containerRuntimeEndpoint": f"unix://{socket()}", "podLogsDir": str(FOLDER / "logs" / "pods"),
        # a developer's disk is rather full
        "evictionHard": {"nodefs.available": "1%", "imagefs.available": "1%", "memory.available": "100Mi"},
    }  # fmt: skip


def _proxy() -> dict[str, object]:
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1", "kind": "KubeProxyConfiguration",
        "clientConnection": {"kubeconfig": str(kubeconfig("proxy"))}, "mode": "iptables", "clusterCIDR": PODS,
        "hostnameOverride": NODE, "conntrack": {"maxPerCore": 0, "min": 0},
    }  # fmt: skip


def _dns() -> str:
    return f""".:{DNS_PORT} {{
  errors
  kubernetes cluster.local in-addr.arpa {{
    kubeconfig {kubeconfig()} {NODE}
    ttl 1
  }}
}}
"""


def objects() -> list[dict[str, object]]:
    """What a cluster has from the first: names by DNS, and volumes on this machine."""
    labels = {"kubernetes.io/service-name": "kube-dns", "k8s-app": "kube-dns"}
    ports = [("dns", "UDP", 53), ("dns-tcp", "TCP", 53)]
    return [
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "kube-dns", "namespace": "kube-system"},
         "spec": {"clusterIP": DNS_SERVICE, "ports": [
             {"name": name, "protocol": protocol, "port": port} for name, protocol, port in ports]}},
        {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
         "metadata": {"name": "kube-dns-node", "namespace": "kube-system", "labels": labels},
         "endpoints": [{"addresses": [NODE_ADDRESS], "conditions": {"ready": True}}],
         "ports": [{"name": name, "protocol": protocol, "port": DNS_PORT} for name, protocol, _ in ports]},
        {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "provisioner": "kubernetes.io/no-provisioner",
         "metadata": {"name": "local", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
         "volumeBindingMode": "WaitForFirstConsumer"},
    ]  # fmt: skip
