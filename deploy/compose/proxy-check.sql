-- Whom the proxy signs in as, to ask a node for its state: it may do nothing else.
CREATE USER proxy_check@'%';
GRANT USAGE ON *.* TO proxy_check@'%';
