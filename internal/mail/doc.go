// Package mail writes the messages that the directory asks for and hands them
// to a mail server, or into a folder where there is none.
//
// A Renderer makes of a directory.Mail one message as RFC 5322 wants it, with
// the same text as plain text and as HTML. A Transport takes it: SMTP to a
// server, Folder to files. A Mailer is both together.
//
// No error of this package holds an address, a name or what a server said in
// words: servers repeat addresses and contents, and errors end up in logs. The
// three digits of an answer and its enhanced status code (RFC 3463) say what
// happened.
package mail
