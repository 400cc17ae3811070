<?php
// Stands in for PEAR's HTTP_Request2, which Debian does not have: the part that
// the PHP sample calls. It puts on the wire, byte for byte, what the library's
// default adapter (Socket) would. Those facts were read in the library's public
// source, https://github.com/pear/HTTP_Request2, HTTP/Request2.php at 2.5.1,
// HTTP/Request2/Adapter.php, Adapter/Socket.php (2012 and 2021; what they send
// here is the same) and Response.php, and in
// https://github.com/pear/Net_URL2, Net/URL2.php; the code is this project's:
//
// - names of headers are kept in lower case and sent with capitals, in the order
//   of their first setting: User-Agent, the caller's, Host, Accept-Encoding,
//   Content-Type, Content-Length;
// - Host has the port unless it is the scheme's own, which a test's never is;
// - the query is encoded by RFC 3986, a space as %20;
// - a body of text without a type is application/x-www-form-urlencoded, also
//   with PUT, and Content-Length is sent; Expect only beyond 1024 bytes;
// - no Accept and no Connection: version 1.1 keeps the connection;
// - head and body are two writes.

class HTTP_Request2_Exception extends Exception
{
}

// An https address with a port.
class Net_URL2
{
    private array $parts;

    public function __construct(string $url)
    {
        $this->parts = parse_url($url);
    }

    public function setQueryVariables(array $variables): void
    {
        $this->parts['query'] = http_build_query($variables, '', '&', PHP_QUERY_RFC3986);
    }

    public function host(): string
    {
        return $this->parts['host'] . ':' . $this->parts['port'];
    }

    public function target(): string
    {
        return "{$this->parts['path']}?{$this->parts['query']}";
    }
}

class HTTP_Request2
{
    const METHOD_PUT = 'PUT';

    private Net_URL2 $url;
    private string $method;
    private string $body;
    private array $headers = [];

    public function __construct(string $url)
    {
        $this->url = new Net_URL2($url);
        $this->setHeader(['User-Agent' => 'HTTP_Request2/2.5.1 (https://github.com/pear/HTTP_Request2) PHP/' . PHP_VERSION]);
    }

    public function getUrl(): Net_URL2
    {
        return $this->url;
    }

    public function setHeader(array $headers): void
    {
        foreach ($headers as $name => $value) {
            $this->headers[strtolower($name)] = trim($value);
        }
    }

    public function setMethod(string $method): void
    {
        $this->method = $method;
    }

    public function setBody(string $body): void
    {
        if ($body === '' || strlen($body) > 1024) {
            throw new HTTP_Request2_Exception('the library sends other headers with no body, or one beyond 1024 bytes');
        }
        $this->body = $body;
    }

    public function send(): HTTP_Request2_Response
    {
        // PHP checks the certificate and its name by default, and so does the library.
        $socket = stream_socket_client("tls://{$this->url->host()}", $number, $reason, 10);
        if ($socket === false) {
            throw new HTTP_Request2_Exception("{$this->url->host()}: $reason");
        }
        fwrite($socket, $this->head());
        fwrite($socket, $this->body);
        return new HTTP_Request2_Response($socket);
    }

    private function head(): string
    {
        $headers = $this->headers + [
            'host' => $this->url->host(),
            'accept-encoding' => 'gzip, deflate',
            'content-type' => 'application/x-www-form-urlencoded',
            'content-length' => strlen($this->body),
        ];
        $head = "{$this->method} {$this->url->target()} HTTP/1.1\r\n";
        foreach ($headers as $name => $value) {
            $head .= ucwords($name, '-') . ": $value\r\n";
        }
        return "$head\r\n";
    }
}

// An answer, read as far as its head says, so that a connection that the server
// keeps open ends it too.
class HTTP_Request2_Response
{
    private int $status;
    private array $headers = [];
    private string $body = '';

    public function __construct($socket)
    {
        if (!preg_match('~^HTTP/1\.[01] (\d{3})( |$)~', $this->line($socket), $found)) {
            throw new HTTP_Request2_Exception('no status line');
        }
        $this->status = (int) $found[1];
        while (($line = $this->line($socket)) !== '') {
            [$name, $value] = explode(':', $line, 2);
            $this->headers[strtolower($name)] = trim($value);
        }
        if (($this->headers['transfer-encoding'] ?? '') !== 'chunked') {
            $this->body = $this->bytes($socket, $this->headers['content-length'] ?? null);
            return;
        }
        while (($size = hexdec($this->line($socket))) > 0) {
            $this->body .= $this->bytes($socket, $size);
            $this->line($socket);
        }
    }

    public function getStatus(): int
    {
        return $this->status;
    }

    public function getBody(): string
    {
        $coded = in_array($this->headers['content-encoding'] ?? '', ['gzip', 'deflate'], true);
        return $coded ? zlib_decode($this->body) : $this->body;
    }

    private function line($socket): string
    {
        $line = fgets($socket);
        if ($line === false) {
            throw new HTTP_Request2_Exception('the answer ends early');
        }
        return rtrim($line, "\r\n");
    }

    // So many bytes; without a number, all there are.
    private function bytes($socket, ?int $length): string
    {
        $bytes = stream_get_contents($socket, $length);
        if ($length !== null && strlen($bytes) < $length) {
            throw new HTTP_Request2_Exception('the answer ends early');
        }
        return $bytes;
    }
}
