// Lists a conference's participant summaries with Twilio's library for Go.
package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/twilio/twilio-go/client"
	insights "github.com/twilio/twilio-go/rest/insights/v1"
)

const account = "ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

// simulated is the library's own client, except that requests to Twilio go to baseURL.
type simulated struct {
	client.Client
	baseURL string
}

func (s *simulated) SendRequest(method string, rawURL string, data url.Values,
	headers map[string]interface{}, body ...byte) (*http.Response, error) {
	if path := strings.TrimPrefix(rawURL, "https://insights.twilio.com"); path != rawURL {
		rawURL = s.baseURL + path
	}
	return s.Client.SendRequest(method, rawURL, data, headers, body...)
}

func cpuSeconds() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano()).Seconds()
}

func list() error {
	baseURL := flag.String("base-url", "", "URL of the simulator")
	sid := flag.String("list", "", "sid of the conference")
	pageSize := flag.Int("page-size", 0, "records per page")
	records := flag.Int("records", -1, "expected number of records")
	flag.Parse()
	if *baseURL == "" || *sid == "" || *pageSize <= 0 || *records < 0 {
		return errors.New("needed: --base-url URL --list SID --page-size N --records N")
	}

	api := insights.NewApiServiceWithClient(&simulated{
		Client:  client.Client{Credentials: client.NewCredentials(account, "simulator")},
		baseURL: *baseURL,
	})
	params := &insights.ListConferenceParticipantParams{}
	params.SetPageSize(*pageSize)

	sids := make([]string, 0, *records)
	cpuAtBegin, begin := cpuSeconds(), time.Now()
	firstAt := begin
	participants, failed := api.StreamConferenceParticipant(*sid, params)
	for participant := range participants {
		if len(sids) == 0 {
			firstAt = time.Now()
		}
		if participant.ParticipantSid == nil {
			return fmt.Errorf("record %d has no sid", len(sids))
		}
		sids = append(sids, *participant.ParticipantSid)
	}
	if err := <-failed; err != nil {
		return err
	}
	seconds, cpu := time.Since(begin).Seconds(), cpuSeconds()-cpuAtBegin

	if len(sids) != *records {
		return fmt.Errorf("%d records, not %d", len(sids), *records)
	}
	digest := sha256.New()
	for i, sid := range sids {
		// The second half of a simulated sid's digits is the record's index in its list.
		digits := strings.TrimPrefix(sid, "CP")
		place, err := strconv.ParseUint(digits[len(digits)/2:], 16, 64)
		if err != nil || place != uint64(i) {
			return fmt.Errorf("record %d is %s", i, sid)
		}
		fmt.Fprintln(digest, sid)
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]interface{}{
		"records":         len(sids),
		"seconds":         seconds,
		"first_record_ms": float64(firstAt.Sub(begin)) / float64(time.Millisecond),
		"cpu_seconds":     cpu,
		"sids_sha256":     hex.EncodeToString(digest.Sum(nil)),
	})
}

func main() {
	if err := list(); err != nil {
		fmt.Fprintln(os.Stderr, "twilio-go:", err)
		os.Exit(1)
	}
}
