package edubrite_test

import (
	"crypto/tls"
	"encoding/pem"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/usher-id/usher/internal/testkit"
)

// javaClient sends what the vendor's Java client sends, byte for byte where
// that matters (dossier 2.2 to 2.4): TLS to whatever port it is given, GET
// home.do twice, two Cookie lines that begin with $Version=0, REAL_UNAME with
// two bars, and a form whose parameters have no order. It prints a line for
// each call: the status and the body.
const javaClient = `import java.io.*;
import java.net.*;
import java.nio.charset.StandardCharsets;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.*;
import javax.net.ssl.*;
import javax.xml.parsers.DocumentBuilderFactory;

public class Sample {
    static SSLSocketFactory sockets;
    static String host, id, info;
    static int port;

    // One request over a connection of its own, read to its end.
    static String[] send(String method, String path, List<String> headers, String body) throws Exception {
        try (Socket socket = sockets.createSocket(host, port)) {
            StringBuilder head = new StringBuilder(method + " /oltpublish/site/" + path + " HTTP/1.1\r\n");
            for (String header : headers) head.append(header).append("\r\n");
            head.append("User-Agent: Jakarta Commons-HttpClient/3.1\r\nHost: ").append(host).append(":").append(port).append("\r\nConnection: close\r\n");
            byte[] bytes = body == null ? new byte[0] : body.getBytes(StandardCharsets.US_ASCII);
            if (body != null) head.append("Content-Length: ").append(bytes.length).append("\r\nContent-Type: application/x-www-form-urlencoded\r\n");
            OutputStream out = socket.getOutputStream();
            out.write((head + "\r\n").getBytes(StandardCharsets.ISO_8859_1));
            out.write(bytes);
            out.flush();
            String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            int end = answer.indexOf("\r\n\r\n");
            return new String[] {answer.substring(9, 12), answer.substring(0, end), answer.substring(end + 4)};
        }
    }

    static String cookie(String head, String name) {
        for (String line : head.split("\r\n"))
            for (HttpCookie c : line.toLowerCase().startsWith("set-cookie:") ? HttpCookie.parse(line) : List.<HttpCookie>of())
                if (c.getName().equals(name)) return c.getValue();
        return null;
    }

    static void connect(String user, String password) throws Exception {
        String[] first = send("GET", "home.do", List.of(), null);
        id = cookie(first[1], "SESSION_ID");
        String query = "username=" + URLEncoder.encode(user, "UTF-8") + "&password=" + URLEncoder.encode(password, "UTF-8");
        String[] second = send("GET", "home.do?" + query, List.of("Cookie: $Version=0; SESSION_ID=" + id + "; $Path=/"), null);
        info = cookie(second[1], "SESSION_INFO");
        boolean encrypted = second[1].contains("SER_PUB_KEY") || second[1].contains("SER_SEC_KEY");
        System.out.println(second[0] + "\tconnected " + (second[0].equals("200") && id != null && info != null && !encrypted));
    }

    static void invoke(String uri, String who, String... pairs) throws Exception {
        Map<String, String> parameters = new HashMap<>();
        parameters.put("xml", "true");
        for (int i = 0; i < pairs.length; i += 2) parameters.put(pairs[i], pairs[i + 1]);
        StringBuilder form = new StringBuilder();
        for (Map.Entry<String, String> e : parameters.entrySet()) {
            if (form.length() > 0) form.append('&');
            form.append(URLEncoder.encode(e.getKey(), "UTF-8")).append('=');
            if (e.getValue() != null) form.append(URLEncoder.encode(e.getValue(), "UTF-8"));
        }
        String[] answer = send("POST", uri, List.of("REAL_UNAME: " + who, "Cookie: $Version=0; SESSION_ID=" + id + "; $Path=/",
            "Cookie: $Version=0; SESSION_INFO=" + info + "; $Path=/"), form.toString());
        // Whatever the status, the root must be "response", or the client reports an error of its own.
        String root = DocumentBuilderFactory.newInstance().newDocumentBuilder()
            .parse(new ByteArrayInputStream(answer[2].getBytes(StandardCharsets.UTF_8))).getDocumentElement().getNodeName();
        System.out.println(answer[0] + "\t" + root + "\t" + answer[2]);
    }

    public static void main(String[] args) throws Exception {
        URL url = new URL(args[0]);
        host = url.getHost();
        port = url.getPort();
        KeyStore trusted = KeyStore.getInstance(KeyStore.getDefaultType());
        trusted.load(null, null);
        try (InputStream file = new FileInputStream(args[1])) {
            trusted.setCertificateEntry("server", CertificateFactory.getInstance("X.509").generateCertificate(file));
        }
        TrustManagerFactory managers = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        managers.init(trusted);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, managers.getTrustManagers(), null);
        sockets = context.getSocketFactory();

        connect("api_usher_demo", "wrong");
        connect("api_usher_demo", "usher-demo-password");
        invoke("userService.do", "chenry||", "dispatch", "activate", "userName", "jdoe");
        invoke("userService.do", "chenry||", "dispatch", "activate", "userName", "nobody");
        invoke("userService.do", "jdoe||", "dispatch", "activate", "userName", "chenry");
        invoke("userService.do", "", "dispatch", "activate", "userName", "jdoe");
        invoke("userService.do", "chenry|chenry@example.test|Carol Henry", "dispatch", "deactivate", "userName", "jdoe");
        invoke("profile.do", "chenry||", "dispatch", "profile", "userName", "jdoe");
        invoke("userService.do", "chenry||", "dispatch", "create", "userName", "new.user", "email", "new@example.test", "firstName", "N\u00e9w", "lastName", "User");
        invoke("userService.do", "chenry||", "dispatch", "update", "userName", "new.user", "firstName", null, "lastName", null, "email", null,
            "siteRole", "INSTRUCTOR", "customUpdPropMap['address']", "1 Main St");
        invoke("userService.do", "chenry||", "dispatch", "list", "search", "new.user", "currPage", "-1", "numPages", "0", "numItems", "0", "pageSize", "20");
        invoke("groupService.do", "chenry||", "dispatch", "list", "pageSize", "1");
        invoke("signin.do", "new.user||", "dispatch", "createSessionApi");
        invoke("nothing.do", "chenry||", "dispatch", "x");
    }
}
`

// javaAnswers is what each call of javaClient gets: the status, and what the
// rest of its line holds.
var javaAnswers = [][2]string{
	{"401", "connected false"},
	{"200", "connected true"},
	{"200", "response\t" + `<response code="0"><msgs><msg><code>0092</code><value><![CDATA[Activated successfully.]]></value></msg></msgs></response>`},
	{"404", `<code>0004</code><value><![CDATA[Unable to find User with matching id]]></value>`},
	{"401", `<code>0005</code><value><![CDATA[You are not allowed to perform this action.]]></value>`},
	{"401", `<code>0005</code>`},
	{"200", `<code>0093</code>`},
	{"200", `<user id="a570e68e-2134-11e6-b63c-6ce229284b01" siteRole="STUDENT" status="INACTIVE"><userName><![CDATA[jdoe]]></userName>`},
	{"200", `<firstName><![CDATA[Néw]]></firstName>`},
	{"200", `<code>0172</code><value><![CDATA[User updated Successfully]]></value>`},
	{"200", `<users numItems="1" currPage="-1" pageSize="20"><user id=`},
	{"200", `<groups numItems="3" currPage="-1" pageSize="1"><group id=`},
	{"200", `<session><sessionId><![CDATA[`},
	{"404", `response` + "\t" + `<response code="-1"><msgs><msg><code>-1</code>`},
}

// TestJavaClient makes the calls of the vendor's Java client in its own
// language, over TLS with the server's self-signed certificate.
func TestJavaClient(t *testing.T) {
	server := testkit.Start(t, testkit.Options{Demo: true})
	dir := t.TempDir()
	source, certificate := filepath.Join(dir, "Sample.java"), filepath.Join(dir, "server.crt")
	must(t, os.WriteFile(source, []byte(javaClient), 0o600))
	must(t, os.WriteFile(certificate, serverCertificate(t, server.URL), 0o600))
	output := run(t, exec.CommandContext(t.Context(), "java", "-Dfile.encoding=UTF-8", "-Dstdout.encoding=UTF-8", "-Dsun.stdout.encoding=UTF-8",
		"-XX:TieredStopAtLevel=1", source, strings.Replace(server.URL, "http://", "https://", 1), certificate))
	lines := strings.Split(strings.TrimSpace(output), "\n")
	if len(lines) != len(javaAnswers) {
		t.Fatalf("%d answers, want %d:\n%s", len(lines), len(javaAnswers), output)
	}
	for i, want := range javaAnswers {
		if status, rest, _ := strings.Cut(lines[i], "\t"); status != want[0] || !strings.Contains(rest, want[1]) {
			t.Errorf("call %d: %s, want %s %s", i+1, lines[i], want[0], want[1])
		}
	}
}

// serverCertificate is what the server shows, as a file that a client is told
// to trust.
func serverCertificate(t *testing.T, base string) []byte {
	t.Helper()
	u, err := url.Parse(base)
	must(t, err)
	conn, err := tls.Dial("tcp", u.Host, &tls.Config{InsecureSkipVerify: true})
	must(t, err)
	defer conn.Close()
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: conn.ConnectionState().PeerCertificates[0].Raw})
}

// curlCalls are the calls of the vendor's cURL example and of the PHP client,
// whose curl sends an array as multipart. {jar} is a file of cookies, {url} the
// address up to the action.
var curlCalls = []struct{ name, line, want string }{
	{"cURL example: a session", `curl -s -i -c {jar} '{url}connect.do'`, "Set-Cookie: SESSION_ID="},
	{"cURL example: credentials", `curl -s -i -b {jar} -c {jar} -d 'username=api_usher_demo' -d 'password=usher-demo-password' '{url}index.do'`, "Set-Cookie: SESSION_INFO="},
	{"cURL example: list", `curl -s -b {jar} -H 'REAL_UNAME: chenry' '{url}userService.do?dispatch=list&xml=true&pageSize=1'`, `<users numItems="10" currPage="-1" pageSize="1"><user id=`},
	{"cURL example: no user", `curl -s -o /dev/null -w '%{http_code}' -b {jar} '{url}userService.do?dispatch=list'`, "401"},
	{"PHP: a session", `curl -s -i -X POST '{url}connect.do'`, "Set-Cookie: SESSION_ID="},
	{"PHP: credentials", `curl -s -i -b "SESSION_ID=$(sed -n 's/.*SESSION_ID.//p' {jar})" -F username=api_usher_demo -F password=usher-demo-password -F dispatch=connect '{url}connect.do'`,
		"Set-Cookie: SESSION_INFO="},
	{"PHP: a call", `curl -s -b "SESSION_ID=$(sed -n 's/.*SESSION_ID.//p' {jar}); SESSION_INFO=$(sed -n 's/.*SESSION_INFO.//p' {jar})" -H 'REAL_UNAME: chenry' ` +
		`-F pageSize=10 -F xml=1 -F dispatch=createSessionApi '{url}signinService.do'`, "<data><session><sessionId><![CDATA["},
	{"PHP: the seed's call", `curl -s -b {jar} -H 'REAL_UNAME: chenry' -F userName=jdoe -F dispatch=activate '{url}userService.do'`, "<![CDATA[Activated successfully.]]>"},
	{"over TLS on the same port", `curl -s -k -b {jar} -H 'REAL_UNAME: chenry' '{tls}userService.do?dispatch=get&userName=jdoe&pwToken=true'`, "<![CDATA[https://127.0.0.1:"},
}

// TestCurl makes the calls of the vendor's cURL example and of the PHP client
// with curl itself, over plain HTTP.
func TestCurl(t *testing.T) {
	server := testkit.Start(t, testkit.Options{Demo: true})
	base := server.URL + "/oltpublish/site/"
	fill := strings.NewReplacer("{jar}", filepath.Join(t.TempDir(), "jar"), "{url}", base, "{tls}", strings.Replace(base, "http://", "https://", 1))
	for _, call := range curlCalls {
		output := run(t, exec.CommandContext(t.Context(), "sh", "-c", fill.Replace(call.line)))
		if !strings.Contains(output, call.want) {
			t.Errorf("%s: %s, want %s", call.name, output, call.want)
		}
	}
}

// run runs a sample client; one that is missing or fails is a failure.
func run(t *testing.T, command *exec.Cmd) string {
	t.Helper()
	var failure strings.Builder
	command.Stderr = &failure
	output, err := command.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s%s", command.Path, err, output, failure.String())
	}
	return string(output)
}
