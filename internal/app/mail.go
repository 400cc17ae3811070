package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/usher-id/usher/internal/config"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/job"
	"github.com/usher-id/usher/internal/mail"
)

// mailTimeout bounds the delivery of one message.
const mailTimeout = 5 * time.Minute

// defaultSender is who messages in files come from when nobody was named.
const defaultSender = "Usher <usher@localhost>"

// openMail makes the runner that delivers the messages that changes ask for.
// It runs with the server.
func (a *App) openMail(context.Context) error {
	transport, err := a.mailTransport()
	if err != nil {
		return err
	}
	mailer, err := a.newMailer(transport)
	if err != nil {
		return err
	}
	a.runJobs(directory.JobMail, deliver(a.service, mailer), job.Options{Timeout: mailTimeout})
	return nil
}

// newMailer makes what renders messages and gives them to a transport.
func (a *App) newMailer(transport mail.Transport) (*mail.Mailer, error) {
	sender := a.cfg.SMTPFrom
	if sender == "" {
		sender = defaultSender
	}
	renderer, err := mail.NewRenderer(sender)
	if err != nil {
		return nil, fmt.Errorf("smtp_from: %w", err)
	}
	return mail.NewMailer(renderer, transport, time.Now), nil
}

// deliver is what is done with a job of mail.
func deliver(service *directory.Service, mailer *mail.Mailer) job.Handler {
	return func(ctx context.Context, j directory.Job) error {
		m, err := service.OpenMail(ctx, directory.System(0, "jobs"), j)
		if err != nil {
			return fmt.Errorf("opening the message: %w", err)
		}
		return mailer.Deliver(ctx, m, j.ID, j.CreatedAt)
	}
}

// mailTransport is the mail server of the settings or, without one, a folder.
// The log says which.
func (a *App) mailTransport() (mail.Transport, error) {
	if a.cfg.SMTPHost == "" {
		dir := a.cfg.MailFolder()
		folder := mail.NewFolder(dir)
		if a.cfg.MailDir != "" { // a folder that nobody asked for is made when it is needed
			if err := folder.Prepare(); err != nil {
				return nil, fmt.Errorf("mail_dir: %w", err)
			}
		}
		a.log.Info("messages are written into files, since no smtp_host is set", "mail_dir", dir)
		return folder, nil
	}
	password, err := smtpPassword(&a.cfg)
	if err != nil {
		return nil, err
	}
	transport := mail.NewSMTP(mail.SMTPOptions{
		Host: a.cfg.SMTPHost, Port: a.cfg.SMTPPort, TLS: mail.TLSMode(a.cfg.SMTPTLS),
		User: a.cfg.SMTPUser, Password: password, Helo: heloName(&a.cfg), Timeout: mailTimeout,
	})
	a.log.Info("messages are sent", "smtp_server", transport.Addr(), "smtp_tls", a.cfg.SMTPTLS)
	if a.cfg.SMTPTLS == string(mail.TLSNone) {
		a.log.Warn("messages, which may hold passwords, leave without encryption: smtp_tls is none")
	}
	return transport, nil
}

// smtpPassword reads the password from where the settings say it is. A newline
// at the end of a file is the editor's.
func smtpPassword(cfg *config.Config) (directory.Secret, error) {
	if cfg.SMTPPasswordFile == "" {
		return directory.Secret(cfg.SMTPPassword), nil
	}
	text, err := os.ReadFile(cfg.SMTPPasswordFile)
	if err != nil {
		return "", fmt.Errorf("smtp_password_file: %w", err)
	}
	password := strings.TrimRight(string(text), "\r\n")
	if password == "" {
		return "", errors.New("smtp_password_file: the file is empty")
	}
	return directory.Secret(password), nil
}

// heloName is what this server calls itself to a mail server: the name in
// public_url if it is one that others know, or else this machine's. Mail
// servers refuse names without a dot more often than wrong ones.
func heloName(cfg *config.Config) string {
	base, err := url.Parse(cfg.BaseURL())
	if err == nil && strings.Contains(base.Hostname(), ".") && net.ParseIP(base.Hostname()) == nil {
		return base.Hostname()
	}
	if host, err := os.Hostname(); err == nil && host != "" {
		return host
	}
	return "localhost"
}
