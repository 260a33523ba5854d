package policy

import "corsguard/filter/fetch"

// Add tells r of a header line, or pseudo-header, its name in lower case. Lines of the headers of which several may come are joined (RFC 9110, section 5.3); a bound on the whole is
// the reader's. value must stay as it is while r is in use.
func (r *Request) Add(name, value string) {
	switch name {
	case fetch.HeaderOrigin:
		if r.Origins++; r.Origins == 1 {
			r.Origin = value
		}
	case fetch.PseudoMethod:
		r.Method = value
	case fetch.PseudoScheme:
		r.Scheme = value
	case fetch.PseudoAuthority:
		r.Authority = value
	case fetch.PseudoPath:
		r.Path = value
	case fetch.HeaderForwardedProto:
		joinLine(&r.forwardedProto, value)
	case fetch.HeaderRequestMethod:
		joinLine(&r.RequestMethod, value)
	case fetch.HeaderRequestHeaders:
		joinLine(&r.RequestHeaders, value)
	case fetch.HeaderRequestPrivateNetwork:
		joinLine(&r.RequestPrivateNetwork, value)
	case fetch.HeaderAccept:
		joinLine(&r.Accept, value)
	case fetch.HeaderFetchSite:
		firstLine(&r.FetchSite, value)
	case fetch.HeaderFetchMode:
		firstLine(&r.FetchMode, value)
	case fetch.HeaderFetchDest:
		firstLine(&r.FetchDest, value)
	}
}

// TrustForwarded is called once r was told of all lines. The scheme is that of X-Forwarded-Proto, if that is one: Envoy sets it, or lets it through from a peer that it trusts.
func (r *Request) TrustForwarded() {
	if IsWebScheme(r.forwardedProto) {
		r.Scheme = r.forwardedProto
	}
}

// IsWebScheme reports whether s is http or https.
func IsWebScheme(s string) bool { return s == "http" || s == "https" }

func firstLine(have *string, line string) {
	if *have == "" {
		*have = line
	}
}

func joinLine(have *string, line string) {
	if *have == "" {
		*have = line
		return
	}
	*have += "," + line
}
