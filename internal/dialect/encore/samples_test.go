package encore_test

import (
	"bufio"
	"compress/gzip"
	"compress/zlib"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-id/usher/internal/config"
	"github.com/usher-id/usher/internal/testkit"
)

// sampleClient is one of the seed's samples and how it is run.
type sampleClient struct {
	file   string                     // in testdata/samples, as the seed prints it
	repair func(source string) string // what the sample's own errors force; nil for none
	run    func(t *testing.T, file, dir string) *exec.Cmd
}

// sampleClients are the seed's samples in the languages that Debian has. What
// is repaired is listed in docs/dialects/encore.md.
var sampleClients = map[string]sampleClient{
	"curl":   {"curl.bat", joinLines, command("sh")},
	"java":   {"JavaSample.java", addImports, runJava},
	"php":    {"sample.php", nil, runPHP},
	"python": {"sample.py", nil, command("python3")},
	"ruby":   {"sample.rb", nil, command("ruby")},
}

// TestSampleClients runs the vendor's samples against a server with TLS: the
// host and the placeholders for id, boolean and key are replaced; {body} is sent
// as it is printed.
func TestSampleClients(t *testing.T) {
	for language, client := range sampleClients {
		t.Run(language, func(t *testing.T) {
			dir := t.TempDir()
			trustPath := filepath.Join(dir, "cert.pem")
			trust := certificate(t, trustPath, filepath.Join(dir, "key.pem"))
			server := testkit.Start(t, testkit.Options{Demo: true, Tune: func(c *config.Config) {
				c.TLSCert, c.TLSKey = trustPath, filepath.Join(dir, "key.pem")
			}})
			source, err := os.ReadFile(filepath.Join("testdata/samples", client.file))
			must(t, err)
			text := string(source)
			if client.repair != nil {
				text = client.repair(text)
			}
			for _, id := range [][2]string{{"123456", "false"}, {"000000006", "true"}} {
				file := filepath.Join(dir, client.file)
				must(t, os.WriteFile(file, []byte(fill(text, server.URL, id[0], id[1])), 0o600))
				if got := output(t, client.run(t, file, dir), trustPath); !strings.Contains(got, `{ "Id": 123456 }`) {
					t.Errorf("%v: %s", id, got)
				}
			}
			checkActive(t, server.URL, trust, true)
		})
	}
}

// fill puts the host and the values of the placeholders into a sample.
func fill(sample, url, id, external string) string {
	return strings.NewReplacer("customerapi-encore.actsoft.com", strings.TrimPrefix(url, "https://"),
		"{id}", id, "{boolean}", external, "{subscription key}", "usher-demo-key").Replace(sample)
}

// checkActive reads the user that the samples activate.
func checkActive(t *testing.T, url string, trust *http.Transport, active bool) {
	t.Helper()
	r, err := http.NewRequest("GET", url+"/users/v1/users/123456", nil)
	must(t, err)
	r.Header.Set("Ocp-Apim-Subscription-Key", "usher-demo-key")
	answer, err := trust.RoundTrip(r)
	must(t, err)
	defer trust.CloseIdleConnections()
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	must(t, err)
	if strings.Contains(string(body), `"IsActive":true`) != active {
		t.Errorf("want active %v: %s", active, body)
	}
}

// joinLines makes one command of the curl sample, whose lines do not go on.
func joinLines(source string) string {
	_, source, _ = strings.Cut(source, "@ECHO OFF")
	return strings.Join(strings.FieldsFunc(source, func(r rune) bool { return r == '\n' }), " ") + "\n"
}

// addImports adds the two classes that the Java sample uses and does not import.
func addImports(source string) string {
	return strings.Replace(source, "import java.net.URI;\n",
		"import java.net.URI;\nimport org.apache.http.client.methods.HttpPut;\nimport org.apache.http.entity.StringEntity;\n", 1)
}

// command runs a sample by an interpreter.
func command(name string) func(*testing.T, string, string) *exec.Cmd {
	return func(t *testing.T, file, _ string) *exec.Cmd { return exec.CommandContext(t.Context(), name, file) }
}

// runJava makes the store of certificates that Java trusts.
func runJava(t *testing.T, file, dir string) *exec.Cmd {
	store := filepath.Join(dir, "trust.p12")
	if _, err := os.Stat(store); err != nil {
		output(t, exec.CommandContext(t.Context(), "keytool", "-importcert", "-noprompt", "-file", filepath.Join(dir, "cert.pem"),
			"-keystore", store, "-storepass", "changeit"), "")
	}
	const jars = "/usr/share/java/"
	path := jars + "httpclient.jar:" + jars + "httpcore.jar:" + jars + "commons-logging.jar:" + jars + "commons-codec.jar"
	return exec.CommandContext(t.Context(), "java", "-Djavax.net.ssl.trustStore="+store, "-Djavax.net.ssl.trustStorePassword=changeit", "-cp", path, file)
}

// runPHP gives PHP the stand-in of PEAR's library, and the certificate to trust.
// It reads no settings of the machine's.
func runPHP(t *testing.T, file, dir string) *exec.Cmd {
	return exec.CommandContext(t.Context(), "php", "-n", "-d", "include_path=testdata/php", "-d", "openssl.cafile="+filepath.Join(dir, "cert.pem"), file)
}

// phpRequest is what the PHP sample sends by PEAR's library; where that is
// known from, testdata/php/HTTP/Request2.php says.
const phpRequest = "PUT /users/v1/users/a%20b/active?use-external-id=true%20%2B HTTP/1.1\r\n" +
	"User-Agent: HTTP_Request2/2.5.1 (https://github.com/pear/HTTP_Request2) PHP/VERSION\r\n" +
	"Ocp-Apim-Subscription-Key: usher-demo-key\r\n" +
	"Host: HOST\r\n" +
	"Accept-Encoding: gzip, deflate\r\n" +
	"Content-Type: application/x-www-form-urlencoded\r\n" +
	"Content-Length: 6\r\n" +
	"\r\n" +
	"{body}"

// TestPHPRequest holds the stand-in to the library's bytes, and has it read the
// answers that it says it can.
func TestPHPRequest(t *testing.T) {
	var gzipped, deflated strings.Builder
	compress(t, gzip.NewWriter(&gzipped), "hello from the server")
	compress(t, zlib.NewWriter(&deflated), "hello from the server")
	zipped := gzipped.String()
	for name, answer := range map[string]string{
		"gzip in chunks": "Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n" +
			"A\r\n" + zipped[:10] + "\r\n" + strconv.FormatInt(int64(len(zipped)-10), 16) + "\r\n" + zipped[10:] + "\r\n0\r\n\r\n",
		"deflate to the end": "Content-Encoding: deflate\r\nConnection: close\r\n\r\n" + deflated.String(),
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
			certificate(t, cert, key)
			pair, err := tls.LoadX509KeyPair(cert, key)
			must(t, err)
			listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{pair}})
			must(t, err)
			defer listener.Close()
			sent := make(chan string, 1)
			go func() { sent <- answerOnce(listener, "HTTP/1.1 200 OK\r\n"+answer) }()
			source, err := os.ReadFile("testdata/samples/sample.php")
			must(t, err)
			file, host := filepath.Join(dir, "sample.php"), listener.Addr().String()
			must(t, os.WriteFile(file, []byte(fill(string(source), "https://"+host, "a%20b", "true +")), 0o600))
			if got := output(t, runPHP(t, file, dir), cert); got != "hello from the server" {
				t.Errorf("the sample prints %q", got)
			}
			got := regexp.MustCompile(`PHP/\d+\.[^\r]+`).ReplaceAllLiteralString(<-sent, "PHP/VERSION")
			if diff := cmp.Diff(strings.Replace(phpRequest, "HOST", host, 1), got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// answerOnce answers one request and returns all that its connection carried,
// until the client leaves. A fault shows in what it returns.
func answerOnce(listener net.Listener, answer string) string {
	conn, err := listener.Accept()
	if err != nil {
		return err.Error()
	}
	defer conn.Close()
	var carried strings.Builder
	reader := bufio.NewReader(io.TeeReader(conn, &carried))
	request, err := http.ReadRequest(reader)
	if err != nil {
		return err.Error()
	}
	if _, err = io.Copy(io.Discard, request.Body); err != nil {
		return err.Error()
	}
	if _, err = io.WriteString(conn, answer); err != nil {
		return err.Error()
	}
	if strings.Contains(answer, "Connection: close") {
		return carried.String()
	}
	// PHP may leave without TLS's farewell, which is no fault of the request.
	_, _ = io.Copy(io.Discard, reader)
	return carried.String()
}

// compress writes a text through a compressor and closes it.
func compress(t *testing.T, w io.WriteCloser, text string) {
	t.Helper()
	_, err := io.WriteString(w, text)
	must(t, err)
	must(t, w.Close())
}

// TestBrowserSample opens the seed's page for browsers, whose origin is another:
// jsdom sends the preflight request and keeps the answer from the page unless
// the server allows it (dossier 5.14). A setting that names other origins does
// that.
func TestBrowserSample(t *testing.T) {
	for want, origins := range map[string][]string{"success": {"*"}, "error": {"https://elsewhere.example.test"}} {
		t.Run(want, func(t *testing.T) {
			dir := t.TempDir()
			cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
			trust := certificate(t, cert, key)
			server := testkit.Start(t, testkit.Options{Demo: true, Tune: func(c *config.Config) {
				c.TLSCert, c.TLSKey, c.EncoreAllowedOrigins = cert, key, origins
			}})
			source, err := os.ReadFile("testdata/samples/sample.html")
			must(t, err)
			file := filepath.Join(dir, "sample.html")
			must(t, os.WriteFile(file, []byte(fill(string(source), server.URL, "123456", "false")), 0o600))
			program := exec.CommandContext(t.Context(), "node", "testdata/samples/browser.js", file, "/usr/share/javascript/jquery/jquery.min.js")
			if got := output(t, program, cert); got != want+"\n" {
				t.Errorf("the page says %q, want %q", got, want)
			}
			checkActive(t, server.URL, trust, want == "success")
		})
	}
}

// output runs a program that trusts the certificate; one that is missing or
// fails is a failure.
func output(t *testing.T, program *exec.Cmd, trust string) string {
	t.Helper()
	program.Env = append(os.Environ(), "SSL_CERT_FILE="+trust, "CURL_CA_BUNDLE="+trust, "NODE_EXTRA_CA_CERTS="+trust, "NODE_PATH=/usr/share/nodejs")
	var failure strings.Builder
	program.Stderr = &failure
	out, err := program.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s%s", program.Args, err, out, failure.String())
	}
	return string(out)
}

// certificate writes a certificate for 127.0.0.1 and its key, and returns a
// transport that trusts it.
func certificate(t *testing.T, certFile, keyFile string) *http.Transport {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	template.Subject.CommonName = "127.0.0.1"
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	must(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	must(t, err)
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	must(t, os.WriteFile(certFile, text, 0o600))
	must(t, os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600))
	trust := x509.NewCertPool()
	trust.AppendCertsFromPEM(text)
	return &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trust}}
}
