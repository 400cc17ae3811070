package scaleout_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/knadh/koanf/parsers/yaml"
	"github.com/spf13/pflag"

	"github.com/usher-id/usher/internal/config"
	"github.com/usher-id/usher/internal/testkit/site"
)

// The folder of the files under test.
const deploy = "../../deploy/"

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// settings reads a settings file and variables as the server would.
func settings(t *testing.T, file string, environ ...string) config.Config {
	t.Helper()
	name := filepath.Join(t.TempDir(), "usher.yaml")
	if err := os.WriteFile(name, []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	config.AddFlags(flags)
	if err := flags.Parse([]string{"--config", name}); err != nil {
		t.Fatal(err)
	}
	loaded, err := config.Load(environ, flags)
	if err != nil {
		t.Errorf("the settings are refused: %v\n%s\n%s", err, file, environ)
	}
	return loaded.Config
}

// freeAddr is an address that nobody listens on.
func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return l.Addr().String()
}

// manifests decodes the documents of a file of Kubernetes strictly: a member that
// is not in the type, or twice in a document, is an error.
func manifests(t *testing.T, name string) (list []manifest) {
	t.Helper()
	for i, text := range strings.Split(readFile(t, deploy+"kubernetes/"+name), "\n---\n") {
		object, err := yaml.Parser().Unmarshal([]byte(text))
		if err != nil {
			t.Fatalf("%s, document %d: %v", name, i+1, err)
		}
		plain, err := json.Marshal(object)
		if err != nil {
			t.Fatal(err)
		}
		var m manifest
		d := json.NewDecoder(bytes.NewReader(plain))
		d.DisallowUnknownFields()
		if err := d.Decode(&m); err != nil {
			t.Fatalf("%s, document %d: %v", name, i+1, err)
		}
		list = append(list, m)
	}
	return list
}

// Pods run with least rights, and every label, port, volume and key that one
// document names is in another.
func TestKubernetesManifestsFitTogether(t *testing.T) {
	documents := manifests(t, "usher.yaml")
	at := func(kind string) *manifest {
		i := slices.IndexFunc(documents, func(m manifest) bool { return m.Kind == kind })
		if i < 0 {
			t.Fatalf("there is no %s", kind)
		}
		return &documents[i]
	}
	deployment := at("Deployment")
	pod := deployment.Spec.Template
	checkPod(t, pod)
	if deployment.Spec.Replicas != 3 || at("PodDisruptionBudget").Spec.MaxUnavailable != 1 {
		t.Error("there should be three servers, of which one may be away")
	}
	for kind, labels := range map[string]map[string]string{
		"Deployment": deployment.Spec.Selector.MatchLabels, "PodDisruptionBudget": at("PodDisruptionBudget").Spec.Selector.MatchLabels,
		"Service": at("Service").Spec.Selector.Plain, "NetworkPolicy": at("NetworkPolicy").Spec.PodSelector.MatchLabels} {
		if len(labels) != 1 || labels[appLabel] != pod.Metadata.Labels[appLabel] {
			t.Errorf("%s selects %v", kind, labels)
		}
	}
	c := pod.Spec.Containers[0]
	if at("Service").Spec.Ports[0].TargetPort != c.Ports[0].Name || !slices.Equal(c.Args, []string{"serve", "--config=/config/usher.yaml"}) {
		t.Error("the service's port or the settings' path is another")
	}
	cfg := settings(t, at("ConfigMap").Data["usher.yaml"], "USHER_DATABASE=postgres://usher@db-rw:5432/usher")
	if cfg.Addr != fmt.Sprintf("0.0.0.0:%d", c.Ports[0].ContainerPort) || cfg.MetricsAddr != fmt.Sprintf("0.0.0.0:%d", c.Ports[1].ContainerPort) {
		t.Errorf("the server listens on %s and %s", cfg.Addr, cfg.MetricsAddr)
	}
	if end := cfg.DrainTime + cfg.ShutdownTimeout; time.Duration(pod.Spec.TerminationGracePeriodSeconds)*time.Second <= end {
		t.Errorf("a stop takes up to %s and gets %d s", end, pod.Spec.TerminationGracePeriodSeconds)
	}
	if seen := c.ReadinessProbe.PeriodSeconds * c.ReadinessProbe.FailureThreshold; cfg.DrainTime <= time.Duration(seen)*time.Second {
		t.Errorf("the server drains for %s, and that it does is seen after %d s", cfg.DrainTime, seen)
	}
	job := manifests(t, "migrate.yaml")[0]
	checkPod(t, job.Spec.Template)
	if image := job.Spec.Template.Spec.Containers[0].Image; image != c.Image {
		t.Errorf("the schema is migrated by %s, and the servers are %s", image, c.Image)
	}
}

// checkPod holds a pod against the profile "restricted" of the Pod Security
// Standards, and its names against each other.
func checkPod(t *testing.T, p podTemplate) {
	t.Helper()
	s, c := p.Spec.SecurityContext, p.Spec.Containers[0]
	own := c.SecurityContext
	if !s.RunAsNonRoot || s.RunAsUser == 0 || s.SeccompProfile.Type != "RuntimeDefault" || own.AllowPrivilegeEscalation == nil ||
		*own.AllowPrivilegeEscalation || !own.ReadOnlyRootFilesystem || !slices.Equal(own.Capabilities.Drop, []string{"ALL"}) {
		t.Errorf("%s has rights that it does not need", p.Metadata.Labels[appLabel])
	}
	if p.Spec.AutomountServiceAccountToken == nil || *p.Spec.AutomountServiceAccountToken || p.Spec.EnableServiceLinks == nil || *p.Spec.EnableServiceLinks {
		t.Error("the pod gets a token, or variables that are no settings")
	}
	for _, mount := range c.VolumeMounts {
		if !slices.ContainsFunc(p.Spec.Volumes, func(v volume) bool { return v.Name == mount.Name }) {
			t.Errorf("there is no volume %s", mount.Name)
		}
	}
	known := map[string]bool{"GOMEMLIMIT": true}
	for _, s := range config.Settings() {
		known["USHER_"+strings.ToUpper(s.Key)] = true
	}
	made := readFile(t, deploy+"kubernetes/usher.yaml")
	for _, e := range c.Env {
		if !known[e.Name] {
			t.Errorf("%s is no setting", e.Name)
		}
		if key := e.ValueFrom.SecretKeyRef.Key; key != "" && !strings.Contains(made, "--from-literal="+key+"=") {
			t.Errorf("nobody is told to make the secret's key %s", key)
		}
	}
}

// The probes' paths are answered by a server with the manifest's addresses.
func TestKubernetesProbesAreAnswered(t *testing.T) {
	metrics := freeAddr(t)
	site.New(t, site.Options{Servers: 1, Process: site.Process{MetricsAddr: metrics}})
	c := manifests(t, "usher.yaml")[1].Spec.Template.Spec.Containers[0]
	for name, p := range map[string]*probe{"startup": c.StartupProbe, "readiness": c.ReadinessProbe, "liveness": c.LivenessProbe} {
		answer, err := http.Get("http://" + metrics + p.HTTPGet.Path)
		if err != nil {
			t.Fatal(err)
		}
		if err := answer.Body.Close(); err != nil || answer.StatusCode != http.StatusOK || p.HTTPGet.Port != "metrics" {
			t.Errorf("the %s probe gets %s at %s:%s", name, answer.Status, p.HTTPGet.Port, p.HTTPGet.Path)
		}
	}
	if c.LivenessProbe.HTTPGet.Path == c.ReadinessProbe.HTTPGet.Path {
		t.Error("a server without a database would be restarted for ever")
	}
}

// systemd accepts the unit, and finds little that the service could do beyond its
// task.
func TestSystemdUnit(t *testing.T) {
	program, err := site.Program()
	if err != nil {
		t.Fatal(err)
	}
	text := readFile(t, deploy+"systemd/usher.service")
	unit := filepath.Join(t.TempDir(), "usher.service")
	if err := os.WriteFile(unit, []byte(strings.ReplaceAll(text, "/usr/local/bin/usher", program)), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"verify", unit}, {"security", "--offline=true", "--threshold=15", unit}} {
		if out, err := exec.Command("systemd-analyze", args...).CombinedOutput(); err != nil || args[0] == "verify" && len(out) > 0 {
			t.Errorf("systemd-analyze %s: %v\n%s", args[0], err, out)
		}
	}
	var environ []string
	for _, m := range regexp.MustCompile(`(?m)^#?Environment=(USHER_.*)$`).FindAllStringSubmatch(text, -1) {
		environ = append(environ, strings.ReplaceAll(m[1], "%d", t.TempDir()))
	}
	cfg := settings(t, readFile(t, deploy+"systemd/usher.yaml"), environ...)
	m := regexp.MustCompile(`(?m)^TimeoutStopSec=(.*)$`).FindStringSubmatch(text)
	if m == nil {
		t.Fatal("the unit says nothing about how long a stop may take")
	}
	if timeout, err := time.ParseDuration(m[1]); err != nil || timeout <= cfg.DrainTime+cfg.ShutdownTimeout || len(environ) != 3 {
		t.Errorf("a stop gets %s, %v; the unit sets %v", timeout, err, environ)
	}
}
