package scaleout_test

import "encoding/json"

const appLabel = "app.kubernetes.io/name"

// manifest is what the manifests use of the kinds of Kubernetes (API reference
// v1.30), all in one type: what is not here is a misspelt member.
type manifest struct {
	APIVersion string            `json:"apiVersion"`
	Kind       string            `json:"kind"`
	Metadata   metadata          `json:"metadata"`
	Data       map[string]string `json:"data"`
	Spec       spec              `json:"spec"`
}

type metadata struct {
	Name         string            `json:"name"`
	GenerateName string            `json:"generateName"`
	Labels       map[string]string `json:"labels"`
}

type spec struct {
	Replicas                int         `json:"replicas"`
	Selector                selector    `json:"selector"`
	Strategy                any         `json:"strategy"`
	Template                podTemplate `json:"template"`
	Ports                   []port      `json:"ports"`
	MaxUnavailable          int         `json:"maxUnavailable"`
	PodSelector             selector    `json:"podSelector"`
	PolicyTypes             []string    `json:"policyTypes"`
	Ingress                 []policy    `json:"ingress"`
	Egress                  []policy    `json:"egress"`
	BackoffLimit            int         `json:"backoffLimit"`
	TTLSecondsAfterFinished int         `json:"ttlSecondsAfterFinished"`
}

// selector is a label selector, or a service's plain labels.
type selector struct {
	MatchLabels map[string]string `json:"matchLabels"`
	Plain       map[string]string `json:"-"`
}

// UnmarshalJSON tells the two apart by what is in them.
func (s *selector) UnmarshalJSON(text []byte) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(text, &members); err != nil {
		return err
	}
	labels, ok := members["matchLabels"]
	if !ok {
		return json.Unmarshal(text, &s.Plain)
	}
	return json.Unmarshal(labels, &s.MatchLabels)
}

type policy struct {
	From  []peer `json:"from"`
	To    []peer `json:"to"`
	Ports []struct {
		Port     any    `json:"port"`
		Protocol string `json:"protocol"`
	} `json:"ports"`
}

type peer struct {
	NamespaceSelector *selector `json:"namespaceSelector"`
	PodSelector       *selector `json:"podSelector"`
}

type port struct {
	Name          string `json:"name"`
	Port          int    `json:"port"`
	TargetPort    string `json:"targetPort"`
	ContainerPort int    `json:"containerPort"`
}

type podTemplate struct {
	Metadata metadata `json:"metadata"`
	Spec     struct {
		AutomountServiceAccountToken  *bool  `json:"automountServiceAccountToken"`
		EnableServiceLinks            *bool  `json:"enableServiceLinks"`
		TerminationGracePeriodSeconds int    `json:"terminationGracePeriodSeconds"`
		RestartPolicy                 string `json:"restartPolicy"`
		SecurityContext               struct {
			RunAsNonRoot   bool `json:"runAsNonRoot"`
			RunAsUser      int  `json:"runAsUser"`
			RunAsGroup     int  `json:"runAsGroup"`
			FSGroup        int  `json:"fsGroup"`
			SeccompProfile struct {
				Type string `json:"type"`
			} `json:"seccompProfile"`
		} `json:"securityContext"`
		TopologySpreadConstraints []struct {
			MaxSkew           int      `json:"maxSkew"`
			TopologyKey       string   `json:"topologyKey"`
			WhenUnsatisfiable string   `json:"whenUnsatisfiable"`
			LabelSelector     selector `json:"labelSelector"`
		} `json:"topologySpreadConstraints"`
		Containers []container `json:"containers"`
		Volumes    []volume    `json:"volumes"`
	} `json:"spec"`
}

type container struct {
	Name  string   `json:"name"`
	Image string   `json:"image"`
	Args  []string `json:"args"`
	Env   []struct {
		Name      string `json:"name"`
		Value     string `json:"value"`
		ValueFrom struct {
			SecretKeyRef struct {
				Name string `json:"name"`
				Key  string `json:"key"`
			} `json:"secretKeyRef"`
		} `json:"valueFrom"`
	} `json:"env"`
	Ports           []port `json:"ports"`
	StartupProbe    *probe `json:"startupProbe"`
	ReadinessProbe  *probe `json:"readinessProbe"`
	LivenessProbe   *probe `json:"livenessProbe"`
	Resources       any    `json:"resources"`
	SecurityContext struct {
		AllowPrivilegeEscalation *bool `json:"allowPrivilegeEscalation"`
		ReadOnlyRootFilesystem   bool  `json:"readOnlyRootFilesystem"`
		Capabilities             struct {
			Drop []string `json:"drop"`
		} `json:"capabilities"`
	} `json:"securityContext"`
	VolumeMounts []struct {
		Name      string `json:"name"`
		MountPath string `json:"mountPath"`
		ReadOnly  bool   `json:"readOnly"`
	} `json:"volumeMounts"`
}

type probe struct {
	HTTPGet struct {
		Path string `json:"path"`
		Port string `json:"port"`
	} `json:"httpGet"`
	PeriodSeconds    int `json:"periodSeconds"`
	TimeoutSeconds   int `json:"timeoutSeconds"`
	FailureThreshold int `json:"failureThreshold"`
}

type volume struct {
	Name      string `json:"name"`
	ConfigMap struct {
		Name string `json:"name"`
	} `json:"configMap"`
	Secret struct {
		SecretName  string `json:"secretName"`
		DefaultMode int    `json:"defaultMode"`
		Items       []struct {
			Key  string `json:"key"`
			Path string `json:"path"`
		} `json:"items"`
	} `json:"secret"`
	EmptyDir any `json:"emptyDir"`
}
