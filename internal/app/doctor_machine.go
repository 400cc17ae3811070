package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/usher-id/usher/internal/config"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/mail"
	"github.com/usher-id/usher/internal/web"
)

// secretSettings are the settings that are secrets themselves.
var secretSettings = []string{"bootstrap_key", "secret_key", "smtp_password"}

// configuration looks for choices that are unsafe where others can reach the server.
func (x *examination) configuration(context.Context) error {
	c := x.cfg
	public := !config.Loopback(c.Addr)
	before := len(x.findings)
	if c.Demo && public {
		x.fail("demo is on and "+c.Addr+" can be reached by others", "Switch demo off, or keep the server on 127.0.0.1.")
	}
	if public && c.TLSCert == "" && len(c.TrustedProxies) == 0 {
		x.warn("keys and passwords come to "+c.Addr+" without encryption", "Set tls_cert and tls_key, or put a proxy in front and name it in trusted_proxies.")
	}
	if public && c.PublicURL == "" {
		x.warn("links in messages begin with "+c.BaseURL(), "Set public_url to the address that people use.")
	} else if strings.HasPrefix(c.BaseURL(), "http://") && public {
		x.warn("links in messages begin with http, which anybody on the way can read", "Set public_url to an https address.")
	}
	if public && c.MetricsAddr == "" {
		x.warn("whoever reaches "+c.Addr+" can read /metrics", "Set metrics_addr to an address that only your tools reach.")
	}
	if c.SMTPHost != "" && c.SMTPTLS == string(mail.TLSNone) {
		x.warn("messages, which may hold passwords, leave without encryption", "Set smtp_tls to starttls or implicit.")
	}
	if c.WebhookHTTP {
		x.warn("webhooks may go to http addresses", "Set webhook_http to false once all endpoints have https.")
	}
	if u, err := url.Parse(c.Database); err == nil && !isSQLite(c) && u.Query().Get("sslmode") == "disable" && u.Hostname() != "" && !config.Loopback(net.JoinHostPort(u.Hostname(), "0")) {
		x.warn("the connection to the database at "+u.Hostname()+" is not encrypted", "Set sslmode=verify-full in the database setting.")
	}
	x.secretsInFile()
	if len(x.findings) == before {
		x.ok("the settings are understood and have no unsafe choice")
	}
	return nil
}

// secretsInFile looks who may read a file of settings that holds secrets.
func (x *examination) secretsInFile() {
	var held []string
	for _, key := range secretSettings {
		if x.origins[key] == config.OriginFile {
			held = append(held, key)
		}
	}
	if len(held) > 0 && x.cfg.Config != "" {
		x.private(x.cfg.Config, "the file of settings, which has "+strings.Join(held, " and "), LevelFail)
	}
}

// private looks whether others may read a file: its group too, unless that is how this
// process was granted it. One that is not there is nobody's.
func (x *examination) private(path, what string, level Level) {
	info, err := os.Stat(path)
	if err != nil || runtime.GOOS == "windows" || info.Mode().Perm()&0o077 == 0 || granted(path, info) {
		return
	}
	x.findings = append(x.findings, Finding{x.check, level, fmt.Sprintf("others may read %s: %s has mode %04o", what, path, info.Mode().Perm()),
		fmt.Sprintf("Run: chmod 600 '%s'. Replace what it holds if others could have read it.", path)})
}

// secretKey looks whether what the database has sealed can be opened.
func (x *examination) secretKey(context.Context) error {
	path, made := x.cfg.SecretKeyPath()
	sealer, err := readSealer(x.cfg)
	_, missing := os.Stat(strings.TrimPrefix(x.cfg.Database, "sqlite:"))
	switch {
	case errors.Is(err, fs.ErrNotExist) && made && errors.Is(missing, fs.ErrNotExist):
		x.ok("there is no database yet; its key will be made with it")
	case errors.Is(err, fs.ErrNotExist) && made:
		x.fail("there is a database, and its key "+path+" is gone", "Put the key back from where you keep it: another one opens nothing that is sealed, and tokens, mail and second factors of before are lost.")
	case err != nil:
		x.fail(err.Error(), "Put the key where the setting says, readable for this user; make one with: "+config.MakeSecretKey+".")
	case sealer == nil:
		x.fail("there is no secret key", "Set secret_key_file, the same key for every process; make one with: "+config.MakeSecretKey+".")
	case path == "":
		x.ok("the key is in the setting secret_key")
	default:
		before := len(x.findings)
		if x.private(path, "the secret key", LevelFail); len(x.findings) == before {
			x.ok("the key is in %s, which others may not read", path)
		}
	}
	return nil
}

// files looks who may read what the server keeps.
func (x *examination) files(context.Context) error {
	before := len(x.findings)
	if path, ok := strings.CutPrefix(x.cfg.Database, "sqlite:"); ok {
		for _, name := range []string{path, path + "-wal"} {
			x.private(name, "the database", LevelWarn)
		}
	}
	if path, _ := x.cfg.AuditKeyPath(); path != "" {
		x.private(path, "the key that signs checkpoints", LevelFail)
	}
	if x.cfg.SMTPPasswordFile != "" {
		x.private(x.cfg.SMTPPasswordFile, "the password of the mail server", LevelFail)
	}
	if x.cfg.TLSKey != "" {
		x.private(x.cfg.TLSKey, "the key of the certificate", LevelFail)
	}
	if len(x.findings) == before {
		x.ok("what must be kept secret others may not read")
	}
	return nil
}

// How long before its end a certificate is to be replaced.
const (
	certificateSoon = 30 * 24 * time.Hour
	certificateNow  = 7 * 24 * time.Hour
)

// certificate looks at what clients see.
func (x *examination) certificate(context.Context) error {
	if x.cfg.TLSCert == "" {
		if dir := x.cfg.SelfSignedFolder(); dir != "" {
			if pair, err := tls.LoadX509KeyPair(filepath.Join(dir, web.SelfSignedKeyFile), filepath.Join(dir, web.SelfSignedKeyFile)); err == nil {
				x.lifetime(&pair, "the self-signed certificate", "It is made anew when the server starts.")
				return nil
			}
		}
		x.ok("no certificate is set")
		return nil
	}
	pair, err := tls.LoadX509KeyPair(x.cfg.TLSCert, x.cfg.TLSKey)
	if err != nil {
		x.fail("tls_cert, tls_key: "+err.Error(), "Name the PEM files of one certificate and of its own key, readable for this user.")
		return nil
	}
	before := len(x.findings)
	if base, err := url.Parse(x.cfg.BaseURL()); err == nil && pair.Leaf.VerifyHostname(base.Hostname()) != nil {
		names := append(append([]string{}, pair.Leaf.DNSNames...), fmt.Sprint(pair.Leaf.IPAddresses))
		x.warn(fmt.Sprintf("the certificate is for %s, and the server is called %s", strings.Join(names, " "), base.Hostname()),
			"Get a certificate that has the name, or correct public_url.")
	}
	x.lifetime(&pair, "the certificate", "Renew it; the server reads it when it starts.")
	if len(x.findings) > before+1 {
		x.findings = dropOK(x.findings, before)
	}
	return nil
}

// dropOK takes out what is well among findings where something is not.
func dropOK(list []Finding, from int) []Finding {
	kept := list[:from]
	for _, f := range list[from:] {
		if f.Level != LevelOK {
			kept = append(kept, f)
		}
	}
	return kept
}

// lifetime says when a certificate ends.
func (x *examination) lifetime(pair *tls.Certificate, what, remedy string) {
	end, now := pair.Leaf.NotAfter, x.o.Now()
	text := fmt.Sprintf("%s is valid until %s", what, end.UTC().Format(time.RFC3339))
	switch left := end.Sub(now); {
	case now.Before(pair.Leaf.NotBefore):
		x.fail(fmt.Sprintf("%s is not valid before %s", what, pair.Leaf.NotBefore.UTC().Format(time.RFC3339)), "Check the clock of this machine, or wait.")
	case left <= 0:
		x.fail(fmt.Sprintf("%s ended at %s", what, end.UTC().Format(time.RFC3339)), remedy)
	case left < certificateNow:
		x.fail(text, remedy)
	case left < certificateSoon:
		x.warn(text, remedy)
	default:
		x.ok("%s", text)
	}
}

// How much room there must be on a disk.
const (
	leastRoom  = 256 << 20
	littleRoom = 1 << 30
	longLog    = 512 << 20 // bytes of SQLite's log, which is cut when the server rests
)

// disk looks at the room that is left where the server writes.
func (x *examination) disk(context.Context) error {
	places := map[string]string{}
	if path, ok := strings.CutPrefix(x.cfg.Database, "sqlite:"); ok {
		places[filepath.Dir(path)] = "the database"
		if info, err := os.Stat(path + "-wal"); err == nil && info.Size() > longLog {
			x.warn(fmt.Sprintf("the log beside the database has %d MiB", info.Size()>>20),
				"A look or a backup that lasts keeps it from being cut; find the process that has the file open for long, or restart the server.")
		}
	}
	if x.cfg.SMTPHost == "" {
		places[x.cfg.MailFolder()] = "messages"
	}
	places[filepath.Dir(x.cfg.CheckpointPath())] = "checkpoints"
	for dir, what := range places {
		free, total, err := diskRoom(existing(dir))
		if err != nil {
			x.warn(fmt.Sprintf("the room for %s cannot be seen: %v", what, err), "Make the folder "+dir+" readable for this user.")
			continue
		}
		x.room(what, dir, free, total)
	}
	return nil
}

// existing is the folder, or the one above that is there.
func existing(dir string) string {
	for {
		if _, err := os.Stat(dir); err == nil || filepath.Dir(dir) == dir {
			return dir
		}
		dir = filepath.Dir(dir)
	}
}

// room judges the bytes that are free of all on a disk.
func (x *examination) room(what, dir string, free, total uint64) {
	text := fmt.Sprintf("%d MiB of %d MiB are free for %s in %s", free>>20, total>>20, what, dir)
	const remedy = "Free some room or move it to a larger disk: a migration keeps a copy of the database, and a full disk refuses every change."
	switch {
	case free < leastRoom:
		x.fail(text, remedy)
	case free < littleRoom || free < total/20:
		x.warn(text, remedy)
	default:
		x.ok("%s", text)
	}
}

// mailTry bounds the talk with the mail server.
const mailTry = 20 * time.Second

// mail talks to the mail server, up to the point where a message would come.
func (x *examination) mail(ctx context.Context) error {
	if x.cfg.SMTPHost == "" {
		x.warn("no mail server is set: messages are written into "+x.cfg.MailFolder(), "Set smtp_host and smtp_from, so that people get their reset links.")
		return nil
	}
	password, err := smtpPassword(x.cfg)
	if err != nil {
		x.fail(err.Error(), "Put the password where the setting says, readable for this user.")
		return nil
	}
	server := mail.NewSMTP(mail.SMTPOptions{Host: x.cfg.SMTPHost, Port: x.cfg.SMTPPort, TLS: mail.TLSMode(x.cfg.SMTPTLS),
		User: x.cfg.SMTPUser, Password: password, Helo: heloName(x.cfg), RootCAs: x.o.MailRoot, Timeout: mailTry})
	if err := server.Try(ctx); err != nil {
		x.fail(server.Addr()+": "+err.Error(), "Check smtp_host, smtp_port, smtp_tls, smtp_user and the password, and that this machine may connect.")
		return nil
	}
	x.ok("%s takes messages (smtp_tls %s)", server.Addr(), x.cfg.SMTPTLS)
	return nil
}

// serves reports whether the settings serve a door.
func (x *examination) serves(door directory.Door) bool {
	set, err := directory.ParseDoors(strings.Join(x.cfg.Doors, ","))
	return err == nil && set.Has(door)
}
