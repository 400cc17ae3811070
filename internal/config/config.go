// Package config holds every setting of the program in one struct. It reads
// them from the built-in defaults, a YAML file, USHER_ environment variables
// and command line flags, each overriding the ones before, refuses what it does
// not know, and can print what is in force and where it came from. It never
// opens, connects to or starts anything: package app does.
package config

import "time"

// Config is every setting. The tags are the setting's whole description: key
// names it in the file (USHER_KEY in the environment, --key with dashes as a
// flag), help says what it does, oneof lists the allowed values, min and max
// bound numbers and sizes, and from names the only places it may come from.
type Config struct {
	// Config is the path of the YAML file itself; "" reads none.
	Config string `key:"config" from:"env,flag" help:"YAML file with settings; none is read unless named"`

	// Addr is where the doors are served, as host:port. The default is loopback,
	// so that a first start exposes nothing.
	Addr string `key:"addr" help:"address to serve on, as host:port"`
	// Database is sqlite:path or a postgres:// connection string. It may hold a
	// password and is printed without it.
	Database string `key:"database" help:"database: sqlite:path or postgres://user:password@host/name"`
	// Doors are the wire formats this process serves, by name; "all" is every
	// door that it has.
	Doors []string `key:"doors" help:"doors that this process serves, separated by commas, or all"`

	// Demo loads the sample directory of the vendors' documents.
	Demo bool `key:"demo" help:"load a sample directory with published credentials; without database in a temporary file"`
	// DemoCredentials says whether the sample directory has its published
	// credentials or drawn ones, which are printed once as JSON.
	DemoCredentials string `key:"demo_credentials" oneof:"fixed random" help:"credentials of the sample directory: published ones, for loopback only, or random ones printed once as JSON"`
	// BootstrapKey is the secret of the first administrator key. It has an effect
	// only on an empty directory. It is no flag: others see a process's flags.
	BootstrapKey Secret `key:"bootstrap_key" from:"file,env" help:"secret of a first administrator key, made with the tenant default when the directory is empty; at least 16 characters"`

	// SecretKey seals what the database keeps and must be read back. It is no
	// flag, like BootstrapKey.
	SecretKey Secret `key:"secret_key" from:"file,env" help:"key that encrypts what the database keeps and must be read back, as base64 of 32 bytes; a PostgreSQL database needs it, the same for every process"`
	// SecretKeyFile is a file with the key; older ones may follow it, a line each,
	// which still open what they sealed. SecretKeyPath applies the default.
	SecretKeyFile string `key:"secret_key_file" help:"file that holds the key, in place of secret_key, perhaps with older keys below it; empty is, with SQLite, the name of the database file and .key, where one is made when it is missing"`

	// TLSCert and TLSKey are PEM files; both or none.
	TLSCert string `key:"tls_cert" help:"PEM file with the certificate chain; with tls_key switches TLS on, and only the edubrite door answers plain HTTP"`
	// TLSKey is the PEM file with the private key of TLSCert.
	TLSKey string `key:"tls_key" help:"PEM file with the private key of tls_cert"`
	// SelfSignedDir is where the self-signed certificate is kept that the
	// edubrite door uses without TLSCert; "" is the folder of the SQLite file,
	// and with PostgreSQL memory alone, since several processes may share a
	// database and none need have a folder that it may write to.
	SelfSignedDir string `key:"self_signed_dir" help:"folder of usher-self-signed.pem (certificate and key) and usher-self-signed.crt (certificate), which are made when the edubrite door is served without tls_cert; empty is the folder of the SQLite file, and with PostgreSQL memory only, a new one at each start"`
	// MetricsAddr moves /healthz, /readyz and /metrics to an address of their
	// own; "" serves them on Addr.
	MetricsAddr string `key:"metrics_addr" help:"address of /healthz, /readyz and /metrics, as host:port; empty serves them on addr"`
	// TrustedProxies are addresses or networks whose X-Forwarded-For is believed.
	TrustedProxies []string `key:"trusted_proxies" help:"addresses or networks of proxies whose X-Forwarded-For is believed, separated by commas"`
	// WrongCredentials bounds what strangers try from one address.
	WrongCredentials int `key:"wrong_credentials_per_minute" min:"1" max:"1000000" help:"how many wrong keys, tokens and client secrets an address may send in a minute before it is refused and slowed (limit.credentials); right ones pass all the same"`

	// PublicURL is what links in messages begin with; "" is Addr. BaseURL applies
	// the default.
	PublicURL string `key:"public_url" help:"what links in messages begin with, as in https://users.example.com; empty is http://, with TLS https://, and addr"`
	// SMTPHost is the mail server that messages are handed to; "" writes them as
	// files into MailDir.
	SMTPHost string `key:"smtp_host" help:"mail server that messages are handed to, by name or address; empty writes them into mail_dir"`
	// SMTPPort is its port; 0 is the usual one for SMTPTLS.
	SMTPPort int `key:"smtp_port" min:"0" max:"65535" help:"port of the mail server; 0 is 587, with smtp_tls implicit 465, with none 25"`
	// SMTPTLS says how the connection is encrypted; nothing is sent when it
	// cannot be.
	SMTPTLS string `key:"smtp_tls" oneof:"starttls implicit none" help:"encryption of the connection to the mail server: by STARTTLS, from its beginning, or not at all"`
	// SMTPUser signs in at the mail server; "" sends without signing in.
	SMTPUser string `key:"smtp_user" help:"name to sign in with at the mail server; empty does not sign in"`
	// SMTPPassword is the password of SMTPUser. It is no flag, like BootstrapKey.
	SMTPPassword Secret `key:"smtp_password" from:"file,env" help:"password of smtp_user"`
	// SMTPPasswordFile is a file with the password, for platforms that hand out
	// secrets as files.
	SMTPPasswordFile string `key:"smtp_password_file" help:"file that holds the password of smtp_user, in place of smtp_password"`
	// SMTPFrom is the sender of messages: an address, perhaps with a name.
	SMTPFrom string `key:"smtp_from" help:"sender of messages, as in usher@example.com or Usher <usher@example.com>; needed with smtp_host"`
	// MailDir is where messages are written as files without SMTPHost; "" is a
	// folder beside the database. MailFolder applies the default.
	MailDir string `key:"mail_dir" help:"folder that messages are written into as .eml files without smtp_host; empty is the folder mail, beside an SQLite database"`

	// AuditKeyFile is the private key that signs checkpoints of the chains of
	// events. AuditKeyPath applies the default.
	AuditKeyFile string `key:"audit_key_file" help:"PEM file with the Ed25519 private key that signs checkpoints of the events; empty is, with SQLite, the name of the database file and .audit-key, which is made when it is missing, and with PostgreSQL none: nothing is signed"`
	// CheckpointFile is where checkpoints are appended. CheckpointPath applies the
	// default.
	CheckpointFile string `key:"checkpoint_file" help:"file that signed checkpoints of the events are appended to; empty is, with SQLite, the name of the database file and .checkpoints, and with PostgreSQL usher.checkpoints"`
	// CheckpointInterval is how often what has grown is signed.
	CheckpointInterval time.Duration `key:"checkpoint_interval" min:"1" max:"86400" help:"how often checkpoints are signed of what has grown"`

	// WebhookNetworks are private networks that webhooks may be sent into.
	WebhookNetworks []string `key:"webhook_networks" help:"networks or addresses that webhooks may be sent to although they are private, loopback or link-local, separated by commas, as in 10.1.0.0/16"`
	// WebhookHTTP allows URLs without TLS.
	WebhookHTTP bool `key:"webhook_http" help:"allow webhooks to http URLs, which anybody on the way can read"`

	// EncoreStrictExternalID makes the encore door demand use-external-id.
	EncoreStrictExternalID bool `key:"encore_strict_external_id" help:"encore door: answer a call about a user without use-external-id with code 1 instead of taking the id for an internal one"`
	// EncoreAllowedOrigins are the origins whose pages may call the encore door
	// from a browser; "*" is any.
	EncoreAllowedOrigins []string `key:"encore_allowed_origins" help:"encore door: origins of web pages whose scripts may call it, separated by commas, as in https://app.example.com, or * for any"`
	// EncoreLengths are lengths of the encore door's texts that differ from its
	// own. EncoreLengthLimits reads them.
	EncoreLengths []string `key:"encore_lengths" help:"encore door: least and greatest lengths of properties in characters, separated by commas, as in UserName=1-100,Password=8-50; for UserName, Password, FirstName, LastName, EmployeeNumber, Email, Phone, EPTTNumber, EPTTWebMDN, EPTTToken"`

	// SmartappCredentials are the places where the smartapp door looks for a key.
	SmartappCredentials []string `key:"smartapp_credentials" help:"smartapp door: where a key may stand, separated by commas: bearer (Authorization: Bearer), x-api-key (header X-API-Key), apikey-header (header apiKey or api_key), apikey-query (query parameter apiKey or api_key)"`
	// SmartappPaths are paths of the smartapp door's operations that differ from
	// its own. SmartappPathTable reads them.
	SmartappPaths []string `key:"smartapp_paths" help:"smartapp door: paths of operations in place of the door's own, separated by commas, as in update_user=/user/edit; one operation may be named several times; docs/dialects/smartapp.md lists the operations"`

	// ServiceMobilityErrorShape chooses between the two published bodies of
	// errors.
	ServiceMobilityErrorShape string `key:"servicemobility_error_shape" oneof:"detail problem" help:"servicemobility door: bodies of errors and of successes without an object; detail is code and detail, problem is type, title, status and detail"`
	// ServiceMobilityMinPassword is that door's own least length of a password
	// in characters.
	ServiceMobilityMinPassword int `key:"servicemobility_min_password" min:"1" max:"1024" help:"servicemobility door: least length of a new password in characters, on top of the tenant's policy"`

	// LogFormat is the form of the log on standard error.
	LogFormat string `key:"log_format" oneof:"json text" help:"form of the log on standard error"`
	// LogLevel is the least level that is logged; requests are logged at info.
	LogLevel string `key:"log_level" oneof:"debug info warn error" help:"least level that is logged; requests are logged at info"`

	// DrainTime is how long a stopping server goes on to serve after /readyz says
	// so, for balancers to notice; each answer then closes its connection.
	DrainTime time.Duration `key:"drain_time" min:"0" max:"3600" help:"how long a stopping server still takes requests while /readyz answers 503 and every answer closes its connection, so that a balancer sends no more; longer than the balancer takes to notice"`
	// ShutdownTimeout bounds the wait for requests in flight when the server stops.
	ShutdownTimeout time.Duration `key:"shutdown_timeout" min:"0" max:"3600" help:"how long a stopping server waits for requests in flight"`
	// ReadHeaderTimeout bounds the reading of a request's head.
	ReadHeaderTimeout time.Duration `key:"read_header_timeout" min:"1" max:"3600" help:"how long a client may take to send a request's head"`
	// ReadTimeout bounds the reading of a whole request.
	ReadTimeout time.Duration `key:"read_timeout" min:"1" max:"3600" help:"how long a client may take to send a whole request"`
	// WriteTimeout bounds a request from the end of its head to the end of the answer.
	WriteTimeout time.Duration `key:"write_timeout" min:"1" max:"3600" help:"how long answering a request may take"`
	// QueryTimeout bounds what a list, search or filter of users or groups reads.
	QueryTimeout time.Duration `key:"query_timeout" min:"1" max:"3600" help:"how long a list, search or filter of users or groups may look before it is refused (query.too_costly)"`
	// DatabaseTimeout bounds the wait for each answer of PostgreSQL, but for lists.
	DatabaseTimeout time.Duration `key:"database_timeout" min:"1" max:"3600" help:"how long PostgreSQL may take for a look-up or a change before the request is refused for now (503)"`
	// IdleTimeout is how long a connection is kept open between requests.
	IdleTimeout time.Duration `key:"idle_timeout" min:"1" max:"3600" help:"how long a connection is kept open between requests"`
	// MaxHeader is the largest head of a request in bytes.
	MaxHeader Bytes `key:"max_header" min:"4096" max:"1048576" help:"largest head of a request"`
	// MaxBody is the largest body of a request in bytes; a door may set less.
	MaxBody Bytes `key:"max_body" min:"1024" max:"1073741824" help:"largest body of a request"`
	// MaxBodies is the most memory of all bodies under way; 0: see BodyBudget.
	MaxBodies Bytes `key:"max_bodies" min:"0" max:"1099511627776" help:"most memory of the bodies of all requests under way, those up to 64 KiB left out, at least four times max_body; one address has a quarter, and what goes beyond is answered with 503; 0 is 128MiB, or eight times max_body if that is more"`

	// SQLiteReaders is the number of reading connections; 0 is twice the cores.
	SQLiteReaders int `key:"sqlite_readers" min:"0" max:"256" help:"reading connections to SQLite; 0 is twice the number of cores"`
	// SQLiteBatch is the most changes that share one commit; 0 is 128.
	SQLiteBatch int `key:"sqlite_batch" min:"0" max:"4096" help:"most changes that SQLite commits together; 0 is 128, 1 gives every change a commit of its own"`
	// PGMaxConns is the most connections to PostgreSQL for requests; two more
	// draw numbers. 0 is twice the cores and at least MinPGConns, see PGConns.
	PGMaxConns int `key:"pg_max_conns" min:"0" max:"10000" help:"most connections to PostgreSQL, 16 or more; 0 is twice the number of cores, and at least 16"`
	// PGExecMode is how statements are sent. A pooler in transaction mode without
	// support of named statements needs exec or simple_protocol.
	PGExecMode string `key:"pg_exec_mode" oneof:"cache_statement cache_describe describe_exec exec simple_protocol" help:"how statements are sent to PostgreSQL; exec for PgBouncer in transaction mode"`
}

// Default is the settings of a server that was told nothing.
func Default() Config {
	return Config{
		Addr:                 "127.0.0.1:8080",
		Database:             "sqlite:usher.db",
		Doors:                []string{"all"},
		DemoCredentials:      "fixed",
		WrongCredentials:     300,
		SMTPTLS:              "starttls",
		EncoreAllowedOrigins: []string{"*"},
		SmartappCredentials:  smartappCredentials(),
		LogFormat:            "json",
		LogLevel:             "info",
		ShutdownTimeout:      30 * time.Second,
		ReadHeaderTimeout:    10 * time.Second,
		ReadTimeout:          30 * time.Second,
		WriteTimeout:         60 * time.Second,
		QueryTimeout:         10 * time.Second,
		DatabaseTimeout:      20 * time.Second,
		IdleTimeout:          2 * time.Minute,
		MaxHeader:            128 << 10,
		MaxBody:              1 << 20,
		PGExecMode:           "cache_statement",
		CheckpointInterval:   5 * time.Minute,

		ServiceMobilityErrorShape:  "detail",
		ServiceMobilityMinPassword: 1,
	}
}

// Secret is a setting that is never printed.
type Secret string

// String hides the secret from every print verb and from logs.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return redacted
}

// GoString hides the secret from %#v.
func (s Secret) GoString() string { return s.String() }

// MarshalText hides the secret from JSON and log handlers.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

const redacted = "[redacted]"

// Bytes is a size in bytes, written as a number with an optional unit: 65536,
// 64KiB, 1MiB.
type Bytes int64
