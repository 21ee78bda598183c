// In the page: the header set by hand, with a token that has to be read from IndexedDB first, as any session that outlives its page must.
const opening = indexedDB.open("by-hand", 1);
opening.onupgradeneeded = () => opening.result.createObjectStore("tokens");
opening.onsuccess = () => {
  const reading = opening.result.transaction("tokens").objectStore("tokens").get("access");
  reading.onsuccess = () => {
    const headers = { authorization: `Bearer ${reading.result}` };
    void fetch("/api/me", { headers }).then((response) => response.text());
  };
};
