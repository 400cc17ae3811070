package config

import (
	"errors"
	"net"
	"net/mail"
	"net/url"
	"path/filepath"
	"strings"
)

// checkMail checks the settings of messages against each other.
func (c *Config) checkMail(fail func(key, format string, args ...any)) {
	if err := checkBaseURL(c.PublicURL); err != nil {
		fail("public_url", "%v", err)
	}
	if c.SMTPFrom != "" {
		if _, err := mail.ParseAddress(c.SMTPFrom); err != nil {
			fail("smtp_from", "not an address: write usher@example.com or Usher <usher@example.com>")
		}
	}
	if c.SMTPPassword != "" && c.SMTPPasswordFile != "" {
		fail("smtp_password_file", "give the password once: here or as smtp_password")
	}
	if c.SMTPHost == "" {
		if c.SMTPPort != 0 {
			fail("smtp_port", "is for a mail server: smtp_host is missing")
		}
		if c.SMTPUser != "" {
			fail("smtp_user", "is for a mail server: smtp_host is missing")
		}
	} else {
		if strings.ContainsAny(c.SMTPHost, "/ @") || strings.Contains(c.SMTPHost, ":") && net.ParseIP(c.SMTPHost) == nil {
			fail("smtp_host", "write a name or an address alone; the port is smtp_port")
		}
		if c.SMTPFrom == "" {
			fail("smtp_from", "is needed with smtp_host")
		}
		if c.MailDir != "" {
			fail("mail_dir", "messages go to smtp_host; remove one of the two")
		}
	}
	switch password := c.SMTPPassword != "" || c.SMTPPasswordFile != ""; {
	case password && c.SMTPUser == "":
		fail("smtp_user", "is needed with a password")
	case !password && c.SMTPUser != "":
		fail("smtp_password", "is needed with smtp_user, here or in smtp_password_file")
	}
}

func checkBaseURL(text string) error {
	if text == "" {
		return nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" ||
		u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" {
		return errors.New("not the base of a URL: write https://users.example.com, perhaps with a path")
	}
	return nil
}

// BaseURL is what links to this server begin with, without a slash at the end:
// PublicURL, or else Addr with a name of this machine where it stands for every
// address.
func (c *Config) BaseURL() string {
	if c.PublicURL != "" {
		return strings.TrimRight(c.PublicURL, "/")
	}
	scheme := "http://"
	if c.TLSCert != "" {
		scheme = "https://"
	}
	host, port, err := net.SplitHostPort(c.Addr)
	if err != nil {
		return scheme + c.Addr
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return scheme + net.JoinHostPort(host, port)
}

// MailFolder is the folder for messages without a mail server: MailDir, or else
// mail, beside the database where that is a file.
func (c *Config) MailFolder() string {
	if c.MailDir != "" {
		return c.MailDir
	}
	if path, ok := strings.CutPrefix(c.Database, "sqlite:"); ok {
		return filepath.Join(filepath.Dir(path), "mail")
	}
	return "mail"
}
