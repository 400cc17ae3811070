package console_test

import (
	"testing"

	"github.com/usher-id/usher/internal/browser"
)

func TestMain(m *testing.M) { browser.Run(m) }
